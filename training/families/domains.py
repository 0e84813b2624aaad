"""Domains for slot extraction: what a message may say, under which field names, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from .. import words as w
from .common import Ctx, cap, company, first_name, join_and, person, place
from .facts import _plural
from .labels import ISSUES, PARTS, URGENCY
from .patterns import Patterns

Draw = Callable[[Ctx], tuple[Any, str]]


@dataclass
class Slot:
    """One thing that a message may say: field names, type, value with its wording, and sentences."""

    names: list[str]
    type: str
    draw: Draw
    says: Patterns
    descs: list[str]
    denies: Patterns | None = None


def _n(text: str) -> list[str]:
    return text.split()


def _int(lo: int, hi: int) -> Draw:
    def draw(ctx: Ctx) -> tuple[int, str]:
        value = ctx.int(lo, hi)
        return value, w.ONES[value] if value < len(w.ONES) and ctx.chance(0.35) else str(value)

    return draw


def _float(lo: int, hi: int) -> Draw:
    def draw(ctx: Ctx) -> tuple[float, str]:
        r = ctx.rng.random()
        if r < 0.25:
            value = ctx.int(lo, hi)
            return float(value), str(value)
        if r < 0.6:
            value = ctx.int(lo * 100, hi * 100) / 100
            return value, f"{value:.2f}"
        value = ctx.int(lo * 10, hi * 10) / 10
        return value, f"{value:.1f}"

    return draw


def _pool(pool: Any) -> Draw:
    def draw(ctx: Ctx) -> tuple[str, str]:
        value = ctx.pick(pool)
        return value, value

    return draw


def _call(make: Callable[[Ctx], str]) -> Draw:
    def draw(ctx: Ctx) -> tuple[str, str]:
        value = make(ctx)
        return value, value

    return draw


def _flag(ctx: Ctx) -> tuple[bool, str]:
    return ctx.chance(0.5), ""


def _list(make: Callable[[Ctx], str], lo: int = 1, hi: int = 4) -> Draw:
    def draw(ctx: Ctx) -> tuple[list[str], str]:
        items = list(dict.fromkeys(make(ctx) for _ in range(ctx.int(lo, hi))))
        return items, join_and(items) if ctx.chance(0.7) else ", ".join(items)

    return draw


def _ints(lo: int, hi: int) -> Draw:
    def draw(ctx: Ctx) -> tuple[list[int], str]:
        items = [ctx.int(lo, hi) for _ in range(ctx.int(1, 5))]
        texts = list(map(str, items))
        return items, join_and(texts) if ctx.chance(0.6) else ", ".join(texts)

    return draw


def _choice(*pairs: tuple[str, str]) -> Draw:
    return lambda ctx: ctx.pick(pairs)


def _counts(ctx: Ctx) -> tuple[dict[str, int], str]:
    items = {_plural(noun): ctx.int(2, 99) for noun in ctx.sample(w.OBJECTS, ctx.int(1, 4))}
    return items, join_and([f"{v} {k}" for k, v in items.items()])


def _points(ctx: Ctx) -> tuple[dict[str, int], str]:
    items = {first_name(ctx): ctx.int(1, 99) for _ in range(ctx.int(1, 4))}
    shape = ctx.pick(("{k} {v}", "{k}: {v}", "{k} got {v}", "{k} with {v}"))
    return items, join_and([shape.format(k=k, v=v) for k, v in items.items()])


def _email(ctx: Ctx) -> str:
    return f"{first_name(ctx).lower()}@{ctx.pick(('example', 'mail', 'post', 'corp'))}.{ctx.pick(('com', 'org', 'net'))}"


def _phone(ctx: Ctx) -> str:
    return f"{ctx.int(100, 999)}-{ctx.int(1000, 9999)}"


def _iso(ctx: Ctx) -> str:
    return f"{ctx.int(2019, 2030)}-{ctx.int(1, 12):02d}-{ctx.int(1, 28):02d}"


def _time(ctx: Ctx) -> str:
    return f"{ctx.int(6, 21)}:{ctx.pick(('00', '15', '30', '45'))}" if ctx.chance(0.5) else f"{ctx.int(1, 12)} {ctx.pick(('am', 'pm'))}"


def _code(ctx: Ctx) -> str:
    return "".join(chr(65 + ctx.int(0, 25)) for _ in range(ctx.int(1, 3))) + ctx.pick(("-", "")) + str(ctx.int(10, 99999))


def _street(ctx: Ctx) -> str:
    return f"{ctx.int(1, 250)} {ctx.pick(w.SURNAMES)} {ctx.pick(('Street', 'Road', 'Avenue', 'Lane'))}"


def _full(ctx: Ctx) -> str:
    return person(ctx)[0]


def _address(ctx: Ctx) -> tuple[dict[str, Any], str]:
    value = {"street": _street(ctx), "city": place(ctx), "zip": str(ctx.int(10000, 99999))}
    return value, f"{value['street']}, {value['zip']} {value['city']}"


def _member(ctx: Ctx) -> tuple[dict[str, Any], str]:
    value = {"name": _full(ctx), "age": ctx.int(5, 90)}
    return value, f"{value['name']} ({value['age']})" if ctx.chance(0.5) else f"{value['name']}, who is {value['age']}"


def _members(ctx: Ctx) -> tuple[list[dict[str, Any]], str]:
    made = [_member(ctx) for _ in range(ctx.int(1, 3))]
    return [v for v, _ in made], "; ".join(f"{v['name']} ({v['age']})" for v, _ in made)


def _lines(ctx: Ctx) -> tuple[list[dict[str, Any]], str]:
    made = [{"item": _plural(o), "quantity": ctx.int(2, 40)} for o in ctx.sample(w.OBJECTS, ctx.int(1, 3))]
    return made, join_and([f"{v['quantity']} {v['item']}" for v in made])


def _urgent(ctx: Ctx) -> tuple[str, str]:
    index = ctx.pick((0, 2, 3))
    return ("low", "high", "on-fire")[(0, 2, 3).index(index)], ctx.pick(URGENCY.concepts[index].cues)


NAME = Slot(_n("name full_name customer_name customer client person who buyer guest contact user_name"), "String", _call(_full),
            Patterns("[Hi,|Hello,] (my|the|our) [full] name is [just] {v}.", "[Hi,|Hello,] (this is|I am) {v} [here|speaking|writing].", "{v} (here|speaking|writing).", "[Full] Name: {v}.", "[Please] (put|book|file) it (under|on|in) the name [of] {v}.", "[All of] (It is|This is) [all] for {v} [only].", "(Regards|Best regards|Kind regards|Best wishes|Yours|Thanks), {v}", "(You can|Please) call me {v}.", "(People|Friends) call me {v}."),
            ["Full name.", "Who it is.", "Name of the person.", "The customer's name.", "Who wrote."])
CITY = Slot(_n("city town place location destination home_town where"), "String", _call(place),
            Patterns("(I|We) [now|still] live in {v} [now|these days].", "(We are|I am) [now|still|currently] in {v} [now|this week].", "[The] (city|town|place) [here] is {v}.", "(It|This|Everything) (should|must|has to) go to {v} [please].", "(I am|We are) (writing|calling) from {v} [today].", "(Our office|My office|Our house) is [now|still] in {v}.", "(We|I) will be in {v} [this week|on that day].", "(I am|We are) [now|currently] (staying|living) in {v} [this week|these days].", "City: {v}."),
            ["The city.", "Which town.", "Where it is.", "Place name."])
AGE = Slot(_n("age years age_in_years years_old"), "i64", _int(4, 95), Patterns("I am [now|already|just] {v} [years old].", "Age: {v} [years].", "I [just] turned {v} (this year|last month|last week).", "My age is [now] {v} [years].", "I'm [now|already] {v} years (old|of age) [now].", "I will soon be {v} [years old]."),
           ["Age in years.", "How old.", "The age."])
MAIL = Slot(_n("email mail email_address e_mail contact_email"), "String", _call(_email), Patterns("(My|The|Our) email [address] is {v}.", "[Please] (write|send it|mail it|answer) to {v}.", "(Email|Mail|E-mail): {v}.", "You can [always|also] (reach me|write to me|find me) at {v}.", "[Please] (use|take) (my|the) email [address] {v}."),
            ["Email address.", "Where to write.", "The email."])
PHONE = Slot(_n("phone phone_number telephone mobile tel"), "String", _call(_phone), Patterns("(My|The|Our) [phone|mobile] number is {v}.", "[Please] (call|ring|phone) [me on|us on|me at] {v}.", "(Phone|Tel|Mobile): {v}.", "You can [always|also] (reach me|call me|ring me) (on|at) {v}.", "[Please] (use|note) (my|the) [phone|mobile] number {v}."), ["Phone number.", "The number to call."])
ITEM = Slot(_n("item product article_name thing goods ordered_item object"), "String", _pool(w.OBJECTS),
            Patterns("(I|We) would like [to have|to buy|to get|to order] the {v} [please].", "(I|We) [really] want to (order|buy|have|get) the {v}.", "Please (send|bring|get) (me|us) the {v}.", "(It|This|My order) is about the {v}.", "(I|We) [really] need the {v} [please].", "(I am|We are) (buying|ordering|getting|taking) the {v}.", "(I|We) [finally] (chose|took|bought|ordered) the {v}.", "(I am|We are) [very] interested in the {v}."),
            ["What is ordered.", "The product.", "Which item.", "Name of the thing."])
COUNT = Slot(_n("quantity count amount number how_many units pieces"), "i64", _int(1, 60), Patterns("(I|We) (need|want|take|order) {v} of (them|these|those) [please].", "(Quantity|Amount|Number|Pieces): {v}.", "{v} (pieces|units), please.", "[Please] make it {v} (units|pieces).", "(I|We) (need|want|take|order) {v} (pieces|units) [please].", "Please (send|give|bring) (me|us) {v} of (them|these|those).", "{v} of (them|these|those) would be (enough|fine|good).", "The number of (pieces|units) is {v}."),
             ["How many.", "Number of pieces.", "The quantity."])
PRICE = Slot(_n("price total cost amount_paid sum value budget price_usd"), "f64", _float(1, 400), Patterns("(The|Its|My) (price|total|sum|cost) is [now] ${v}.", "It [all|only] costs [me|us] {v} dollars [in total].", "(I|We) [only] paid ${v} [in total|for it].", "(I|We) [only] paid {v} dollars [in total|for it].", "(Price|Total|Sum|Cost): {v}.", "(My|Our) budget is [about] {v} dollars.", "(We|They) agreed on {v} (euros|dollars).", "It was [only] ${v} [in total].", "The (sum|total|price|cost) is {v} [dollars]."),
             ["Price in dollars.", "How much.", "The amount."])
GIFT = Slot(_n("gift gift_wrap is_gift wrapped as_gift present"), "bool", _flag, Patterns("Please (wrap|pack) it [nicely] as a (gift|present).", "It is [meant as] a (gift|present) [for a friend|for my mother].", "It's a (gift|present) [for a friend|for my mother].", "Gift wrapping, please.", "(I|We) would like gift wrapping [please].", "[Please] add gift wrapping."), ["Whether it is a gift.", "Gift wrapping wanted."],
            Patterns("It is not a (gift|present).", "No gift [wrapping], please.", "[Please] don't (wrap|pack) it as a (gift|present).", "No gift.", "It's not a (gift|present) [for anybody].", "Gift wrapping is not (needed|wanted)."))
EXPRESS = Slot(_n("express fast_shipping rush priority_shipping express_delivery"), "bool", _flag, Patterns("[Please] (send|ship) it by express [mail].", "Express (delivery|shipping), please.", "[Please] use express (shipping|delivery|mail).", "(I|We) (want|need|would like) express (delivery|shipping) [please]."), ["Whether express delivery is wanted.", "Fast shipping."],
               Patterns("No express [delivery|shipping], please.", "(Normal|Standard) (shipping|delivery) (is fine|will do|is enough).", "(There is no|No) need for express [delivery|shipping].", "No express (delivery|shipping)."))
COLOR = Slot(_n("color colour paint shade finish"), "String", _pool(w.COLORS), Patterns("In {v}, please.", "The color (should be|is|must be) {v} [please].", "Color: {v}.", "(I|We) (want|need|take|would like) it in {v} [please].", "[Please] make it {v}.", "[Only] {v} would be (nice|good|fine)."), ["The color.", "Which color."])
CODE = Slot(_n("order_id code order_number reference id ticket_number tracking_code booking_code sku"), "String", _call(_code), Patterns("(The|My|Our) (order|booking|ticket|reference) number is {v}.", "(Reference|Order|Code|Ticket): {v}.", "(My|The|Our) (booking|order|tracking) code is {v}.", "(The|My|Our) id is {v}.", "It has the (number|code|id) {v}.", "[Please] (use|note) the (number|code|id) {v}."),
            ["The order number.", "Reference code.", "The id."])
DATE = Slot(_n("date day when due_date arrival_date delivery_date due start_date"), "String", _call(_iso), Patterns("The date is [now|still] {v}.", "It (starts|begins) on {v}.", "Date: {v}.", "(We|I) (arrive|come|leave|start) on {v}.", "It is [now] (due|planned|set) (on|for) {v}.", "[Please] (plan|book|note) it for {v}."), ["The date.", "Date as YYYY-MM-DD.", "On which day."])
DAY = Slot(_n("day weekday day_of_week on_day"), "String", _pool(w.DAYS), Patterns("It is [planned|set] (on|for) {v}.", "Let's (say|take|do) {v}.", "{v} (suits me|is fine|works for us|is best).", "(We|I) (come|meet|arrive|start) on {v}.", "On {v}, please.", "[Please] (plan|book) it for {v}."), ["The weekday.", "Which day."])
TIME = Slot(_n("time start_time at hour clock arrival_time starts_at"), "String", _call(_time), Patterns("At {v}, please.", "It (starts|begins) at {v} [sharp].", "Time: {v}.", "(We|I) (come|meet|arrive|start) at {v} [sharp].", "The time is [set for] {v}.", "[Please] be there at {v}."), ["The time.", "At what time."])
GUESTS = Slot(_n("guests people party_size persons group_size seats head_count"), "i64", _int(1, 20), Patterns("(We are|There are) {v} (people|persons|guests).", "A (table|room) for {v} [people|persons|guests] [please].", "For {v} (guests|people|persons) [please].", "There will be {v} of us [in all].", "[We need] Seats for {v} [people|guests].", "(We|They) will be {v} [people|guests]."), ["Number of guests.", "How many people."])
NIGHTS = Slot(_n("nights stay length_of_stay number_of_nights duration_nights"), "i64", _int(1, 14), Patterns("(We|I) [only] (stay|need|want) {v} nights.", "For {v} nights [please].", "(We|I) (will need|would like) it for {v} nights.", "(The|Our) stay is [for] {v} nights.", "(We|I) (book|take) it for {v} nights."), ["Number of nights.", "How many nights."])
MARRIED = Slot(_n("married is_married has_spouse"), "bool", _flag, Patterns("I am [now|happily|already] married [now].", "I have a (husband|wife).", "(We|I) got married (last year|in spring|years ago).", "I am a [happily] married person.", "My (husband|wife) is with me."), ["Whether married.", "Marital status."],
               Patterns("I am [still] (single|unmarried|not married) [now].", "I'm [still] (single|unmarried|not married).", "I have [never|not yet] married.", "I (have no|don't have a) (husband|wife)."))
JOB = Slot(_n("job profession occupation work job_title"), "String", _pool(w.JOBS), Patterns("I [now|still] work as a {v} [these days].", "(My|The) (job|work|profession) is {v}.", "(Profession|Job): {v}.", "(By|In) (profession|trade) I am a {v}.", "I am a {v} by (profession|trade).", "I earn my living as a {v}."), ["The profession.", "What the person does."])
FIRM = Slot(_n("company employer firm organization vendor shop supplier"), "String", _call(company), Patterns("I [now|still] work for {v}.", "(The|My|Our) (company|firm|employer) is [called] {v}.", "(Company|Firm): {v}.", "It [all] (is|comes) from {v}.", "(We|I) [always] (bought|buy|got|ordered) it from {v}."), ["The company.", "Name of the firm."])
SKILLS = Slot(_n("skills languages spoken_languages speaks language_list"), "Vec<String>", _list(lambda c: c.pick(w.LANGUAGES)), Patterns("I [also] (speak|know|understand) {v}.", "My languages are {v}.", "Languages: {v}.", "I am [quite|very] (fluent|good) in {v}.", "The languages that I (speak|know) are {v}."), ["Languages spoken.", "All languages."])
HOBBIES = Slot(_n("hobbies interests likes free_time pastimes"), "Vec<String>", _list(lambda c: c.pick(w.HOBBIES)), Patterns("My hobbies are {v}.", "I [really|also] (like|enjoy|love) {v}.", "(In|For) my free time: {v}.", "(Hobbies|Interests): {v}.", "What I [really] (like|enjoy|love) is {v}.", "I am [really] fond of {v}."), ["Hobbies.", "What the person likes to do."])
PEOPLE = Slot(_n("attendees people participants names invited members team present guests_list"), "Vec<String>", _list(first_name), Patterns("{v} will [also|all] (be there|come|take part).", "[Please] (invite|ask|tell) {v} [too].", "[Together] With {v}.", "(Participants|People|Guests): {v}.", "(It is|The meeting is) with {v}.", "We (expect|invite|have) {v}."), ["Who takes part.", "All names.", "The people named."])
INGREDIENTS = Slot(_n("ingredients foods shopping_list groceries items_needed"), "Vec<String>", _list(lambda c: c.pick(w.FOODS), 1, 5), Patterns("You [only|also] need {v}.", "(Ingredients|You need): {v}.", "[First] (take|buy|get|use) {v}.", "It (contains|has|needs|is made of) [only] {v}.", "[Please] (buy|get|bring) {v}."), ["The ingredients.", "Foods named.", "What is needed."])
NUMBERS = Slot(_n("numbers values readings scores_list measurements winning_numbers lottery"), "Vec<i64>", _ints(0, 120), Patterns("(The|Our|Our last) (numbers|values|readings) (are|were) {v}.", "(Readings|Values|Numbers): {v}.", "(We|They) [only] (measured|got|read|noted) {v}.", "Here are the (numbers|values|readings): {v}."), ["All numbers.", "The values.", "Numbers in order."])
MINUTES = Slot(_n("minutes duration time_needed length duration_minutes takes"), "i64", _int(5, 180), Patterns("It [only] (takes|lasts|needs) [about] {v} minutes.", "[Please] plan [for|about] {v} minutes.", "(Duration|Time): {v} minutes.", "The whole thing (takes|lasts|needs) [about] {v} minutes.", "(We|You) need [about] {v} minutes [for it]."), ["Minutes needed.", "Duration in minutes."])
TEMP = Slot(_n("temperature degrees temp celsius heat"), "f64", _float(1, 250), Patterns("The temperature (is|was|should be) [about] {v} degrees.", "It (was|is) [about] {v} degrees [there|today].", "[Please] (heat|warm|bring) it to {v} degrees.", "Temperature: {v}.", "(We|They) (measured|got|noted) [about] {v} degrees [today]."), ["Temperature in degrees.", "Degrees."])
STARS = Slot(_n("stars rating score points grade"), "i64", _int(1, 5), Patterns("(I|We) [only] give it {v} stars.", "[I give it|It gets] {v} out of 5.", "(Rating|Stars|Grade): {v}.", "It [really|only] (deserves|gets|earns) {v} stars [from me].", "{v} stars (from me|from us).", "My (rating|grade) is {v} [stars]."), ["Stars from 1 to 5.", "The rating."])
SIZE = Slot(_n("size fit width"), "enum:small|medium|large", _choice(("small", "small"), ("medium", "medium"), ("large", "large"), ("large", "big"), ("small", "tiny")), Patterns("(The|My) size is {v}.", "A {v} one, please.", "Size: {v}.", "(I|We) (take|want|need) it in {v} [please].", "(I|We) (take|want|need) a {v} one [please].", "[Please] send (it in {v}|a {v} one)."), ["The size.", "Which size."])
MONEY = Slot(_n("currency money_unit paid_in currency_code"), "enum:USD|EUR|GBP|JPY", _choice(("USD", "US dollars"), ("EUR", "euros"), ("GBP", "British pounds"), ("JPY", "yen")), Patterns("(I|We) [always] pay in {v}.", "(All|Our) prices are in {v}.", "(It|Everything|The bill) is [paid] in {v}.", "[Please] use {v} [only].", "Currency: {v}.", "The (sum|price|total) is in {v}."), ["The currency.", "Currency code."])
STOCK = Slot(_n("stock inventory counts items quantities stock_levels"), "HashMap<String,i64>", _counts, Patterns("(We|They) [still|only] have {v} [left].", "In stock: {v}.", "There are [still|only] {v} [left].", "(We|They|I) counted {v} [today].", "The (shelf|store|room) [now|still] (holds|has) {v}."), ["Item to count.", "How many of each.", "Stock by item."])
POINTS = Slot(_n("scores points results votes score_by_name"), "HashMap<String,i64>", _points, Patterns("(Results|Points|Scores|Final): {v}.", "The [final] (scores|results|points) (were|are) {v}.", "Here are the [final] (scores|results|points): {v}.", "(It ended|The game ended) like this: {v}."), ["Points by name.", "Name to points.", "The result of each."])
ADDRESS = Slot(_n("address ship_to deliver_to home_address postal_address"), 'struct Address:{"street":"String","city":"String","zip":"String"}', _address, Patterns("[Please] (ship|send|bring|deliver) it to {v}.", "(My|The|Our) [home|new] address is {v}.", "[Home] Address: {v}.", "[Please] deliver to {v}.", "(It|This) (goes|should go) to {v}."), ["The address.", "Where to deliver."])
CHILD = Slot(_n("child passenger patient member person holder"), 'struct Person:{"name":"String","age":"i64"}', _member, Patterns("(It is|This is|The ticket is) for {v}.", "The (passenger|patient|person) is {v}.", "Please (register|book|add|note) {v}.", "It concerns {v}."), ["The person.", "Name and age."])
FAMILY = Slot(_n("family passengers patients members persons children team_members"), 'Vec<struct Person:{"name":"String","age":"i64"}>', _members, Patterns("(We are|Here we are): {v}.", "(Passengers|Members|Persons|The list): {v}.", "Please (register|book|add|note): {v}.", "These are (the members|the passengers|all of us): {v}."), ["All persons.", "Everybody with age."])
LINES = Slot(_n("lines order_lines order_items basket cart positions"), 'Vec<struct Line:{"item":"String","quantity":"i64"}>', _lines, Patterns("(I|We) [would like to] order {v}.", "Please (send|bring|give) [me|us] {v}.", "(The|My|Our) order: {v}.", "(I|We) [only|also] need {v} [please].", "(I|We) would like [to have|to buy] {v}."), ["What is ordered.", "Each item with its quantity."])
STATES = {
    0: ["shows a typo", "has the wrong color", "could look nicer", "needs a new icon", "has a spelling mistake", "has an outdated logo", "uses an old font"],
    2: ["is slow for many users", "shows errors for half of the team", "rejects some orders", "fails every hour", "blocks our work", "loses messages"],
    3: ["is down", "is offline", "lost all data", "is on fire", "has been hacked", "crashed completely", "is down for everybody"],
}
REQUESTS = ["Please update the {n}", "Please change the {n}", "Could you rename the {n}", "Please clean up the {n}", "We could improve the {n}"]


def issue(ctx: Ctx, name: str) -> str:
    """The thing as the text calls it: the issue, at times with the part that it concerns."""
    return f"{name} {ctx.pick(PARTS)}" if " " not in name and ctx.chance(0.35) else name


def complaint(ctx: Ctx, names: list[str], rank: int, cue: str) -> list[str]:
    """Sentences that tell what is wrong and how urgent it is; `rank` is an index of the urgency classes."""
    things = join_and([issue(ctx, n) for n in names])
    if rank == 1 or ctx.chance(0.25):
        text = ctx.phrase(TAGS.says).format(v=things)
        return [text, cap(cue) + ctx.pick((".", "!", "."))]
    if rank == 0 and ctx.chance(0.4):
        request = ctx.phrase(REQUESTS).format(n=things)
        return [f"{request}, {cue}."] if ctx.chance(0.5) else [f"{request} {ctx.pick(('when you have time', 'at some point', 'when there is time', 'some day'))}."]
    verb = ctx.phrase(STATES[rank])
    if len(names) > 1:
        verb = verb.replace("is ", "are ").replace("shows", "show").replace("has ", "have ").replace("needs", "need").replace("uses", "use")
        verb = verb.replace("rejects", "reject").replace("fails", "fail").replace("blocks", "block").replace("loses", "lose")
    r = ctx.rng.random()
    if r < 0.35:
        return [f"The {things} {verb} and {cue}{ctx.pick(('.', '!'))}"]
    if r < 0.65:
        return [f"The {things} {verb}.", cap(cue) + ctx.pick((".", "!"))]
    return [f"The {things} {verb}{ctx.pick((', ', ': '))}{cue}."] if r < 0.85 or rank != 3 else [f"The {things} {verb}!"]


OWNER = Slot(_n("owner assignee assigned_to responsible handled_by contact_person"), "String", _call(first_name), Patterns("{v} [from support|from our team] (is|is already|is now) on it.", "{v} [from support|from our team] will (handle it|look at it|fix it|take care of it).", "[Please] (assign|give|pass) it to {v} [from support].", "{v} [from support] (takes care of this|owns this|handles it|is the owner).", "(Owner|Assignee): {v}.", "I [already] (talked|spoke) to {v} about it.", "Please (tell|ask|call) {v} [about it].", "{v} [from support|from our team] is [now|already] looking into it.", "{v} is [now] (responsible|in charge).", "(Assigned|Given) to {v}.", "It (was|is|has been) [already] assigned to {v}."),
             ["Who handles it.", "The person in charge, if named.", "Who it is assigned to.", "Who is named as responsible, if anyone.", "The owner, if one is named."])
def _issues(ctx: Ctx) -> tuple[list[str], str]:
    items = ctx.sample(ISSUES, ctx.pick((1, 1, 1, 2, 2, 3)))
    return items, join_and([issue(ctx, i) for i in items]) if ctx.chance(0.8) else ", ".join(items)


TAGS = Slot(_n("tags labels keywords topics components affected areas systems"), "Vec<String>", _issues, Patterns("(The|Our) {v} [suddenly] (stopped working|failed again|failed|does not work).", "(We have|There is) [some|big] trouble with the {v}.", "Problems: {v}.", "There is (an error|a bug|a problem|a fault) in the {v}.", "Please (check|look at|look into|repair) the {v}.", "(Something|A lot) is wrong with the {v}.", "It [only|also] (affects|concerns) the {v}.", "We have (an issue|a problem|an error) with the {v}."),
            ["What is affected.", "Topics of the ticket.", "What it is about.", "Keywords."])
URGENT = Slot(_n("urgency priority severity level"), "enum:low|high|on-fire", _urgent, Patterns("It is like this: {v}.", "{v}.", "{v}!", "And {v}.", "Note: {v}.", "(You|Please) see: {v}."), ["How urgent it is.", "Urgency.", "How soon someone must look at it.", "How fast we must act."])

TRIAGE = [URGENT, TAGS, OWNER, CODE, NAME, FIRM]
DOMAINS: list[tuple[list[Slot], list[str]]] = [
    ([NAME, ITEM, COUNT, PRICE, GIFT, EXPRESS, COLOR, CITY, CODE], ["Extract the order.", "Read the order.", "Fill in the order form."]),
    ([NAME, CITY, DATE, NIGHTS, GUESTS, PRICE, PHONE], ["Extract the booking.", "Read the booking request.", "Fill in the reservation."]),
    ([NAME, AGE, CITY, JOB, MARRIED, MAIL, FIRM, SKILLS, HOBBIES, PHONE], ["Extract the profile.", "Read the introduction.", "Fill in the contact card."]),
    ([PEOPLE, DAY, TIME, MINUTES, CITY], ["Extract the meeting.", "Make a calendar entry.", "Read the invitation."]),
    ([INGREDIENTS, MINUTES, TEMP, GUESTS], ["Extract the recipe.", "Read the recipe."]),
    ([PRICE, MONEY, FIRM, DATE, CODE], ["Extract the expense.", "Read the invoice."]),
    ([ITEM, STARS, SIZE, COLOR, PRICE], ["Extract the facts of the review.", "Read the review."]),
    ([STOCK, CITY, NAME], ["Extract the stock levels.", "Count the stock."]),
    ([POINTS, DAY, CITY], ["Extract the results.", "Read the scores."]),
    ([NUMBERS, DATE, TEMP, CITY], ["Extract the measurements.", "Read the report."]),
    ([ADDRESS, NAME, PHONE, EXPRESS], ["Extract the delivery address.", "Where does it go?"]),
    ([CHILD, DATE, CITY, PHONE], ["Extract the registration.", "Register the person."]),
    ([FAMILY, DATE, CITY], ["Extract the passengers.", "List the persons."]),
    ([LINES, NAME, DATE, EXPRESS, GIFT], ["Extract the order lines.", "What is ordered?"]),
    (TRIAGE, ["Triage a support ticket.", "Read the ticket.", "Sort the incoming ticket."]),
    (TRIAGE, ["Triage the ticket.", "Extract what the ticket says.", "Support triage.", "Sort the support ticket."]),
]
