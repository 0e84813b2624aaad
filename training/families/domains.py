"""Domains for slot extraction: what a message may say, under which field names, and in which words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable

from .. import words as w
from .common import Ctx, cap, company, first_name, join_and, person, place
from .facts import _plural
from .labels import ISSUES, PARTS, URGENCY

Draw = Callable[[Ctx], tuple[Any, str]]


@dataclass
class Slot:
    """One thing that a message may say: field names, type, value with its wording, and sentences."""

    names: list[str]
    type: str
    draw: Draw
    says: list[str]
    descs: list[str]
    denies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # What `extract.LABELED` can say is not held out: such sentences come first, where nothing is held out.
        self.says = sorted(self.says, key=lambda s: not re.match(r"(The |My |Our )?[\w ]+(:| is) \$?\{v\}( dollars)?\.$", s))


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
            ["My name is {v}.", "This is {v}.", "I am {v}.", "{v} here.", "The name is {v}.", "Name: {v}.", "Put it under the name {v}.", "It is for {v}.", "Regards, {v}", "You can call me {v}."],
            ["Full name.", "Who it is.", "Name of the person.", "The customer's name.", "Who wrote."])
CITY = Slot(_n("city town place location destination home_town where"), "String", _call(place),
            ["I live in {v}.", "We are in {v}.", "The city is {v}.", "It should go to {v}.", "We live in {v} now.", "I am writing from {v}.", "Our office is in {v}.", "We will be in {v}.", "I am staying in {v}.", "We are now in {v}."],
            ["The city.", "Which town.", "Where it is.", "Place name."])
AGE = Slot(_n("age years age_in_years years_old"), "i64", _int(4, 95), ["I am {v} years old.", "Age: {v}.", "I turned {v} this year.", "My age is {v}.", "I'm {v} years old now."],
           ["Age in years.", "How old.", "The age."])
MAIL = Slot(_n("email mail email_address e_mail contact_email"), "String", _call(_email), ["My email is {v}.", "Write to {v}.", "Email: {v}.", "You can reach me at {v}.", "Please answer to {v}."],
            ["Email address.", "Where to write.", "The email."])
PHONE = Slot(_n("phone phone_number telephone mobile tel"), "String", _call(_phone), ["My phone number is {v}.", "Call {v}.", "Phone: {v}.", "My number is {v}.", "Ring me on {v}."], ["Phone number.", "The number to call."])
ITEM = Slot(_n("item product article_name thing goods ordered_item object"), "String", _pool(w.OBJECTS),
            ["I would like the {v}.", "I want to order the {v}.", "Please send me the {v}.", "It is about the {v}.", "I would like to have the {v}.", "We need the {v}.", "I am buying the {v}.", "We chose the {v}.", "I am interested in the {v}.", "I want to buy the {v}."],
            ["What is ordered.", "The product.", "Which item.", "Name of the thing."])
COUNT = Slot(_n("quantity count amount number how_many units pieces"), "i64", _int(1, 60), ["I need {v} of them.", "Quantity: {v}.", "{v} pieces, please.", "Make it {v} units.", "We take {v} pieces.", "I want {v} of these.", "Please send {v} of them.", "{v} of them would be enough.", "The number of pieces is {v}.", "We need {v} pieces."],
             ["How many.", "Number of pieces.", "The quantity."])
PRICE = Slot(_n("price total cost amount_paid sum value budget price_usd"), "f64", _float(1, 400), ["The price is ${v}.", "It costs {v} dollars.", "I paid ${v}.", "Price: {v}.", "My budget is {v} dollars.", "The total is ${v}.", "We agreed on {v} euros.", "It was ${v}.", "The sum is {v}.", "I paid {v} dollars."],
             ["Price in dollars.", "How much.", "The amount."])
GIFT = Slot(_n("gift gift_wrap is_gift wrapped as_gift present"), "bool", _flag, ["Please wrap it as a gift.", "It is a gift.", "It's a present for a friend.", "Gift wrapping, please.", "Please pack it as a gift."], ["Whether it is a gift.", "Gift wrapping wanted."],
            ["It is not a gift.", "No gift wrapping, please.", "Don't wrap it as a gift.", "No gift.", "It's not a present."])
EXPRESS = Slot(_n("express fast_shipping rush priority_shipping express_delivery"), "bool", _flag, ["Send it by express.", "Express delivery, please.", "Ship it by express mail.", "Use express shipping.", "I want express delivery."], ["Whether express delivery is wanted.", "Fast shipping."],
               ["No express, please.", "Normal shipping is fine.", "No need for express.", "Standard delivery will do.", "No express delivery."])
COLOR = Slot(_n("color colour paint shade finish"), "String", _pool(w.COLORS), ["In {v}, please.", "The color should be {v}.", "Color: {v}.", "I want it in {v}.", "Make it {v}."], ["The color.", "Which color."])
CODE = Slot(_n("order_id code order_number reference id ticket_number tracking_code booking_code sku"), "String", _call(_code), ["The order number is {v}.", "Reference: {v}.", "My booking code is {v}.", "The id is {v}.", "It has the number {v}."],
            ["The order number.", "Reference code.", "The id."])
DATE = Slot(_n("date day when due_date arrival_date delivery_date due start_date"), "String", _call(_iso), ["The date is {v}.", "It starts on {v}.", "Date: {v}.", "We arrive on {v}.", "It is due on {v}."], ["The date.", "Date as YYYY-MM-DD.", "On which day."])
DAY = Slot(_n("day weekday day_of_week on_day"), "String", _pool(w.DAYS), ["It is on {v}.", "Let's say {v}.", "{v} suits me.", "We come on {v}.", "On {v}, please."], ["The weekday.", "Which day."])
TIME = Slot(_n("time start_time at hour clock arrival_time starts_at"), "String", _call(_time), ["At {v}, please.", "It starts at {v}.", "Time: {v}.", "We come at {v}.", "The time is {v}."], ["The time.", "At what time."])
GUESTS = Slot(_n("guests people party_size persons group_size seats head_count"), "i64", _int(1, 20), ["We are {v} people.", "A table for {v}.", "For {v} guests.", "There will be {v} of us.", "Seats for {v}."], ["Number of guests.", "How many people."])
NIGHTS = Slot(_n("nights stay length_of_stay number_of_nights duration_nights"), "i64", _int(1, 14), ["We stay {v} nights.", "For {v} nights.", "We will need it for {v} nights.", "The stay is {v} nights.", "We need {v} nights."], ["Number of nights.", "How many nights."])
MARRIED = Slot(_n("married is_married has_spouse"), "bool", _flag, ["I am married.", "I have a husband.", "I have a wife.", "We got married last year.", "I am a married person."], ["Whether married.", "Marital status."],
               ["I am single.", "I am not married.", "I'm unmarried.", "I have never married.", "I am still single."])
JOB = Slot(_n("job profession occupation work job_title"), "String", _pool(w.JOBS), ["I work as a {v}.", "My job is {v}.", "Profession: {v}.", "By profession I am a {v}.", "My work is {v}."], ["The profession.", "What the person does."])
FIRM = Slot(_n("company employer firm organization vendor shop supplier"), "String", _call(company), ["I work for {v}.", "The company is {v}.", "Company: {v}.", "It is from {v}.", "We bought it from {v}."], ["The company.", "Name of the firm."])
SKILLS = Slot(_n("skills languages spoken_languages speaks language_list"), "Vec<String>", _list(lambda c: c.pick(w.LANGUAGES)), ["I speak {v}.", "My languages are {v}.", "Languages: {v}.", "I know {v}.", "I am fluent in {v}."], ["Languages spoken.", "All languages."])
HOBBIES = Slot(_n("hobbies interests likes free_time pastimes"), "Vec<String>", _list(lambda c: c.pick(w.HOBBIES)), ["My hobbies are {v}.", "I like {v}.", "In my free time: {v}.", "I enjoy {v}.", "I really like {v}."], ["Hobbies.", "What the person likes to do."])
PEOPLE = Slot(_n("attendees people participants names invited members team present guests_list"), "Vec<String>", _list(first_name), ["{v} will be there.", "Invite {v}.", "With {v}.", "Participants: {v}.", "Please invite {v}."], ["Who takes part.", "All names.", "The people named."])
INGREDIENTS = Slot(_n("ingredients foods shopping_list groceries items_needed"), "Vec<String>", _list(lambda c: c.pick(w.FOODS), 1, 5), ["You need {v}.", "Ingredients: {v}.", "Take {v}.", "Buy {v}.", "It contains {v}."], ["The ingredients.", "Foods named.", "What is needed."])
NUMBERS = Slot(_n("numbers values readings scores_list measurements winning_numbers lottery"), "Vec<i64>", _ints(0, 120), ["The numbers are {v}.", "Readings: {v}.", "We measured {v}.", "The values were {v}.", "We got {v}."], ["All numbers.", "The values.", "Numbers in order."])
MINUTES = Slot(_n("minutes duration time_needed length duration_minutes takes"), "i64", _int(5, 180), ["It takes {v} minutes.", "Plan {v} minutes.", "Duration: {v} minutes.", "It lasts {v} minutes.", "It takes about {v} minutes."], ["Minutes needed.", "Duration in minutes."])
TEMP = Slot(_n("temperature degrees temp celsius heat"), "f64", _float(1, 250), ["The temperature is {v} degrees.", "It was {v} degrees.", "Heat it to {v} degrees.", "Temperature: {v}.", "We measured {v} degrees."], ["Temperature in degrees.", "Degrees."])
STARS = Slot(_n("stars rating score points grade"), "i64", _int(1, 5), ["I give it {v} stars.", "{v} out of 5.", "Rating: {v}.", "It deserves {v} stars.", "{v} stars from me."], ["Stars from 1 to 5.", "The rating."])
SIZE = Slot(_n("size fit width"), "enum:small|medium|large", _choice(("small", "small"), ("medium", "medium"), ("large", "large"), ("large", "big"), ("small", "tiny")), ["The size is {v}.", "A {v} one, please.", "Size: {v}.", "I take it in {v}.", "I need a {v} one."], ["The size.", "Which size."])
MONEY = Slot(_n("currency money_unit paid_in currency_code"), "enum:USD|EUR|GBP|JPY", _choice(("USD", "US dollars"), ("EUR", "euros"), ("GBP", "British pounds"), ("JPY", "yen")), ["I pay in {v}.", "All prices are in {v}.", "It is in {v}.", "Use {v}.", "The bill is in {v}."], ["The currency.", "Currency code."])
STOCK = Slot(_n("stock inventory counts items quantities stock_levels"), "HashMap<String,i64>", _counts, ["We have {v}.", "In stock: {v}.", "There are {v}.", "We counted {v}.", "The shelf holds {v}."], ["Item to count.", "How many of each.", "Stock by item."])
POINTS = Slot(_n("scores points results votes score_by_name"), "HashMap<String,i64>", _points, ["Results: {v}.", "Points: {v}.", "The scores were {v}.", "Final: {v}.", "Here are the scores: {v}."], ["Points by name.", "Name to points.", "The result of each."])
ADDRESS = Slot(_n("address ship_to deliver_to home_address postal_address"), 'struct Address:{"street":"String","city":"String","zip":"String"}', _address, ["Ship it to {v}.", "My address is {v}.", "Address: {v}.", "Deliver to {v}.", "Send it to {v}."], ["The address.", "Where to deliver."])
CHILD = Slot(_n("child passenger patient member person holder"), 'struct Person:{"name":"String","age":"i64"}', _member, ["It is for {v}.", "The passenger is {v}.", "Please register {v}.", "The patient is {v}.", "It concerns {v}."], ["The person.", "Name and age."])
FAMILY = Slot(_n("family passengers patients members persons children team_members"), 'Vec<struct Person:{"name":"String","age":"i64"}>', _members, ["We are: {v}.", "Passengers: {v}.", "Please register: {v}.", "The list: {v}.", "Members: {v}."], ["All persons.", "Everybody with age."])
LINES = Slot(_n("lines order_lines order_items basket cart positions"), 'Vec<struct Line:{"item":"String","quantity":"i64"}>', _lines, ["I order {v}.", "Please send {v}.", "The order: {v}.", "I need {v}.", "I would like {v}."], ["What is ordered.", "Each item with its quantity."])
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


OWNER = Slot(_n("owner assignee assigned_to responsible handled_by contact_person"), "String", _call(first_name), ["{v} is on it.", "{v} will handle it.", "Please assign it to {v}.", "{v} takes care of this.", "Owner: {v}.", "I talked to {v} about it.", "Please tell {v}.", "{v} owns this.", "{v} is looking into it.", "{v} is responsible.", "Assigned to {v}.", "Assigned to {v}.", "{v} from support is on it.", "{v} is the owner.", "It was assigned to {v}."],
             ["Who handles it.", "The person in charge, if named.", "Who it is assigned to.", "Who is named as responsible, if anyone.", "The owner, if one is named."])
def _issues(ctx: Ctx) -> tuple[list[str], str]:
    items = ctx.sample(ISSUES, ctx.pick((1, 1, 1, 2, 2, 3)))
    return items, join_and([issue(ctx, i) for i in items]) if ctx.chance(0.8) else ", ".join(items)


TAGS = Slot(_n("tags labels keywords topics components affected areas systems"), "Vec<String>", _issues, ["The {v} stopped working.", "We have trouble with the {v}.", "Problems: {v}.", "There is an error in the {v}.", "The {v} failed again.", "Please check the {v}.", "Something is wrong with the {v}.", "It affects the {v}.", "There is a bug in the {v}.", "We have an issue with the {v}."],
            ["What is affected.", "Topics of the ticket.", "What it is about.", "Keywords."])
URGENT = Slot(_n("urgency priority severity level"), "enum:low|high|on-fire", _urgent, ["It is like this: {v}.", "{v}.", "{v}!", "And {v}.", "Note: {v}."], ["How urgent it is.", "Urgency.", "How soon someone must look at it.", "How fast we must act."])

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
