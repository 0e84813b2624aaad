"""Entities and their attributes for passage question answering: verb phrases, values and questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

from .. import words as w
from .common import Ctx, article, company, person, place
from .patterns import Patterns, expand


@dataclass
class Attr:
    """An attribute: how a value is drawn, said after a subject, and asked for."""

    key: str
    draw: Callable[[Ctx], str]
    phrases: Patterns
    questions: Patterns | list[str]
    reverse: bool = True
    numeric: bool = False
    wrap: Callable[[str], str] = field(default=lambda v: v)


def _num(lo: int, hi: int) -> Callable[[Ctx], str]:
    return lambda ctx: str(ctx.int(lo, hi))


def _from(pool: object) -> Callable[[Ctx], str]:
    return lambda ctx: ctx.pick(pool)  # type: ignore[arg-type]


def _the(pool: object) -> Callable[[Ctx], str]:
    return lambda ctx: "the " + ctx.pick(pool)  # type: ignore[arg-type,operator]


def _thing(ctx: Ctx) -> str:
    noun = ctx.pick(w.OBJECTS)
    r = ctx.rng.random()
    if r < 0.4:
        return f"{ctx.pick(w.COLORS)} {noun}"
    if r < 0.6:
        return f"{ctx.pick(w.ADJS)} {noun}"
    return noun


def _plural(noun: str) -> str:
    if noun.endswith(("s", "sh", "ch", "x")):
        return noun + "es"
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"


def _pets(ctx: Ctx) -> str:
    return f"{ctx.pick(w.ONES[2:8])} {_plural(ctx.pick(w.PETS))}"


def _clock(ctx: Ctx) -> str:
    return f"{ctx.int(1, 12)} {ctx.pick(('am', 'pm'))}" if ctx.chance(0.6) else f"{ctx.int(1, 12)}:{ctx.pick(('15', '30', '45', '00'))}"


def _date(ctx: Ctx) -> str:
    return f"{ctx.int(1, 28)} {ctx.pick(w.MONTHS)}" if ctx.chance(0.5) else f"{ctx.pick(w.MONTHS)} {ctx.int(1, 28)}"


def _name(ctx: Ctx) -> str:
    return person(ctx)[0]


# What somebody did with a thing, with the verb of the question.
DEEDS = {"bought": "buy", "owns": "own", "lost": "lose", "found": "find", "sold": "sell", "carries": "carry", "borrowed": "borrow", "repaired": "repair", "broke": "break",
         "picked up": "pick up", "brought": "bring", "stole": "steal", "hid": "hide", "received": "receive", "invented": "invent"}
# How two people are tied, with the question.
FRIENDS = {
    "is [still|now] a [good|close|old] friend of {v}": "Who is {n} a friend of?", "is [still|now|happily] married to {v}": "Who is {n} married to?",
    "[still|now] shares a (flat|house|room) with {v}": "Who does {n} share a home with?", "[still|now|often] works (with|together with) {v}": "Who does {n} work with?",
    "is a [distant|close|second] cousin of {v}": "Who is {n} a cousin of?", "[once|recently|finally] met {v} [at school|last year]": "Who did {n} meet?",
    "[once|recently|finally] wrote to {v} [last year|last week]": "Who did {n} write to?", "[once|recently] traveled (with|together with) {v}": "Who did {n} travel with?",
    "is [still|now] a [good|close|old] neighbor of {v}": "Who is {n} a neighbor of?", "is [still|now|finally] engaged to {v}": "Who is {n} engaged to?",
}
FRIEND_QUESTIONS = {t: q for p, q in FRIENDS.items() for t in expand(p)}
DEED_QUESTIONS = {t: v for v in DEEDS for t in expand(f"[recently|once|also|finally|just] {v} {{v}}")}

ADV = "[now|still|currently|also]"

PERSON = [
    Attr("job", _from(w.JOBS), Patterns(f"{ADV} works as {{v}} [these days|at present|for a living|by day]", "is [now|still|currently] {v} [by profession|by trade|by training]",
         "earns (a living|money|a wage) as {v}", "has (worked|been working) as {v} for (years|some time|a long time|ten years)", "has (a job|work|a position|a post) as {v}",
         "was (hired|trained|employed) as {v} [last year|last month|in spring]", "(became|trained as|trained to be) {v} [last year|years ago|in spring]", "makes (money|a living) as {v}",
         "(found|got|took) (a job|work|a position|a post) as {v} [last year|last month]"),
         Patterns("What is (the job|the profession|the occupation) of {n}?", "What is {n}'s (job|profession|occupation|trade)?", "What (does|did) {n} (do for a living|work as)?",
         "Which (job|profession|occupation) does {n} have?", "What (job|profession|occupation) does {n} have?", "What (kind of work|sort of work|work) does {n} do [for a living]?", "{n} works as what?",
         "How does {n} (earn a living|make a living|make money)?"), wrap=article),
    Attr("home", place, Patterns(f"{ADV} (lives|resides) (in|near|outside) {{v}} [these days|at present|since spring|for years]", "has (a home|a house|a flat|an apartment|a room) (in|near) {v}",
         "(moved|has moved|relocated) to {v} [last year|in spring|years ago|recently]", "has lived (in|near) {v} (since spring|for years|for ten years|for some time)", "is [now|still|currently] living (in|near) {v}",
         "(rents|owns|bought|shares|found) (a house|a flat|a room|an apartment|a home) (in|near) {v}", "(has settled|settled) in {v} [last year|years ago|recently]", "lives (near|in) the (center|north|south|old part) of {v}"),
         Patterns("Where (does|is) {n} (live|living)?", "In (which|what) (city|town|place) (does {n} live|is {n} living)?", "(Which|What) (city|town|place) does {n} live in?", "Where is (the home of {n}|{n}'s home|{n}'s house)?",
         "What is {n}'s (home town|home city|place of residence)?", "(Which|What) (city|town|place) is (home to {n}|{n} living in)?", "Where does {n} (have a home|reside)?")),
    Attr("born", place, Patterns("was born [and raised] (in|near|outside) {v}", "[originally] (comes|came) from {v}", "is [originally] from {v}", "grew up (in|near|outside) {v}",
         "spent (a childhood|the first years|early years) (in|near) {v}", "(has roots|has family roots) in {v}", "is a (native|child|son or daughter) of {v}", "was raised (in|near|outside) {v}", "first saw the light in {v}"),
         Patterns("Where (was {n} born|does {n} come from|is {n} from|did {n} grow up)?", "What is (the birthplace of {n}|{n}'s birthplace|{n}'s place of birth)?", "In (which|what) (city|town|place) (was {n} born|did {n} grow up)?",
         "(Which|What) (city|town|place) (is {n} from|does {n} come from|was {n} born in)?", "Where is {n} originally from?", "Where was {n} (raised|born and raised)?")),
    Attr("age", _num(8, 95), Patterns("is [now|already|just|only] {v} years (old|of age)", "[just] turned {v} [this year|last month|last week|in spring|recently]", "is [now|already|just] {v}", "will soon be {v} [years old]",
         "(celebrated|had) a birthday and is now {v} [years old]", "is [now] aged {v}", "has (reached|just reached) the age of {v}", "has (turned|just turned) {v} [years old]"),
         Patterns("How old is {n} [now|today|at present]?", "What is {n}'s age [now|today|in years]?", "What age is {n} [now|today]?", "What is the age of {n} [now|today]?", "How many years old is {n}?",
         "(Tell me|Please tell me|Say) (the age of {n}|how old {n} is).", "At present, how old is {n}?"), numeric=True),
    Attr("year", _num(1780, 2015), Patterns("was born in [the year|spring|early|late] {v}", "(came|was brought) into the world in [the year] {v}", "has been around since [the year|early|late] {v}", "was a child of [the year] {v}", "saw the light of day in [the year|early|late] {v}"),
         Patterns("In (which|what) year was {n} born?", "(Which|What) year was {n} born in?", "What (is|was) {n}'s (birth year|year of birth)?", "What (is|was) the (birth year|year of birth) of {n}?", "Since (which|what) year has {n} been around?"), numeric=True),
    Attr("hobby", _from(w.HOBBIES), Patterns("[really|also|still] (loves|enjoys|likes|adores) {v} [most of all|very much|after work|on weekends|in summer]", "spends (weekends|evenings|free time|Sundays|much time) on {v}", "has (a passion|a love|a weakness) for {v}",
         "is [very|really|quite] (fond of|keen on|crazy about|good at) {v}", "relaxes with {v} [after work|on weekends]", "(took up|discovered|started) {v} [last year|years ago|in spring]", "has {v} as a hobby", "does {v} (for fun|after work|on weekends|in free time)"),
         Patterns("What is (the hobby of {n}|{n}'s hobby|{n}'s favorite hobby|{n}'s favorite pastime|{n}'s passion)?", "What does {n} (enjoy|love|like|like to do|do for fun|do in free time|do after work|do to relax)?",
         "(Which|What) (hobby|pastime|activity) does {n} (have|enjoy|like|love)?")),
    Attr("instrument", _from(w.INSTRUMENTS), Patterns("[also|still|now] (plays|practices|studies|teaches|learns) the {v} [every day|in a band|at school|on weekends|after work]", "is [now|still] (learning|practicing|studying) the {v} [at school|after work]",
         "can play the {v} [very well|a little]", "has (played|studied|practiced) the {v} (since school|for years|for ten years)", "(performs|is a star) on the {v} [on weekends|in a band]", "(takes|gives) lessons on the {v}"),
         Patterns("(Which|What) [musical] instrument (does {n} play|can {n} play|does {n} practice|does {n} study)?", "What does {n} play?", "What is (the instrument of {n}|{n}'s instrument|{n}'s musical instrument)?",
         "(Name|Tell me) (the instrument of {n}|{n}'s instrument).", "On (which|what) instrument does {n} (play|practice|perform)?")),
    Attr("pet", _from(w.PETS), Patterns("[now|still|also] (has|owns|keeps) {v} [at home|as a pet|in the house]", "[recently] (adopted|bought|got|found) {v} [last month|last year|in spring|for a birthday]", "(takes|took) care of {v} [at home|every day]",
         "is the [proud|happy] owner of {v}", "has [recently|just] (adopted|bought) {v}", "lives with {v} [at home]", "(feeds|walks) {v} every day"),
         Patterns("What pet does {n} (have|keep|own)?", "Which (animal|pet) does {n} (own|have|keep)?", "What (kind|sort) of (pet|animal) does {n} (keep|have|own)?", "What animal does {n} (have|keep|own)?", "What is {n}'s pet?",
         "Which animal is {n}'s pet?"), wrap=article),
    Attr("color", _from(w.COLORS), Patterns("[really|also|still] (likes|loves|prefers) the color {v} [best|most of all]", "(prefers|chose|wants) {v} [for the walls|for the house|for the car]", "[always|often|usually] wears {v} [on Sundays|at work|at school]",
         "has {v} as a favorite color", "(painted|had painted) the (house|walls|door|car) {v}", "(thinks|says|feels) [that] {v} is the best color"),
         Patterns("What is (the favorite color of {n}|{n}'s favorite color|{n}'s color)?", "(Which|What) color does {n} (like|prefer|love|like best|want)?", "(Which|What) color did {n} (choose|pick)?")),
    Attr("food", _from(w.FOODS), Patterns("[really|also] (likes|loves|wants) to eat {v}", "[always|usually|often|just] (orders|ordered|eats|ate|had) {v} [for lunch|for dinner|at noon|on Sundays]", "[also|just] (cooked|prepared|made) {v} [for lunch|for dinner|for the guests]",
         "brought {v} to the (party|picnic|office|feast)", "(lives|feeds) on {v}"),
         Patterns("What (does|did) {n} (like to eat|eat|order to eat|have to eat|eat for lunch)?", "(Which|What) (food|dish|meal) does {n} (like|eat|prefer|have)?", "What is {n}'s (food|favorite food|favorite dish|meal)?", "What (food|dish) goes with {n}?")),
    Attr("drink", _from(w.DRINKS), Patterns("[always|usually|often|also] (drinks|orders) {v} [every morning|at noon|after work|with the meal]", "(ordered|drank|had|took) a (glass|cup|bottle) of {v} [at noon|with the meal|after work]", "(starts|ends|begins) the day with {v}",
         "[really|also] likes to drink {v} [at noon|after work|with the meal]", "(drank|had) {v} with the meal"),
         Patterns("What (does|did) {n} (drink|like to drink|have to drink|order to drink)?", "(Which|What) drink does {n} (like|order|have|prefer)?", "What is {n}'s (drink|favorite drink)?")),
    Attr("employer", company, Patterns("[now|still|currently|also] works for {v} [these days|at present]", "(is|was) [now|still|recently] (employed|hired|paid) by {v} [at present|last year]", "[recently] (joined|signed with) {v} [last year|in spring|last month]", "has a (contract|job|position|post) with {v}",
         "(got|found|took) a (job|position|post) with {v}", "is [now|still] (with|on the staff of|on the payroll of) {v}"),
         Patterns("Who (does {n} work for|employs {n}|is {n}'s employer|pays {n})?", "(Which|What) (company|firm) (does {n} work for|employs {n}|pays {n})?", "Where is {n} employed?", "What is (the employer of {n}|{n}'s employer|{n}'s company)?",
         "(At|For) which (company|firm) does {n} work?")),
    Attr("workplace", _from(w.WORKPLACES), Patterns("[now|still|currently|also] works (at|in) the {v} [these days|at present|every day]", "(spends|starts|ends) the day at the {v}", "has (a desk|work|an office|a job) (at|in) the {v}", "(starts|begins|has) work at the {v} [every morning|at nine]",
         "does (shifts|the night shift|early shifts) (at|in) the {v}", "(reports|goes) to the {v} (each day|every day|every morning) [for work]"),
         Patterns("Where does {n} (work|go to work|have a desk|start work)?", "What is {n}'s (place of work|workplace)?", "(At|In) which place does {n} work?", "(Which|What) place does {n} work (at|in)?", "Where is {n}'s (workplace|office|desk)?")),
    Attr("language", _from(w.LANGUAGES), Patterns("[also|still] (speaks|understands|knows|reads|writes) [some|very good|fluent|a little] {v} [at home|at work|at school]", "is [quite|very|almost] (fluent|good) in {v}", "is [now|still] (learning|studying) {v} [at school|after work]", "can (read|speak|write|understand) {v}",
         "(takes|gives) lessons in {v}", "grew up (speaking|with) {v}"),
         Patterns("(Which|What) language (does {n} speak|can {n} speak|does {n} know|is {n} learning|can {n} read|does {n} understand|is {n} fluent in)?", "What does {n} speak?", "What is (the language of {n}|{n}'s language)?", "In (which|what) language is {n} (fluent|good)?")),
    Attr("subject", _from(w.SUBJECTS), Patterns("[now|also|still] (studies|teaches|learns|majors in) {v} [at school|at the university|in the evening]", "(has|took|got|holds) a (degree|course|diploma) in {v}", "is an expert (in|on) {v}", "(wrote|read|published) a (book|paper|report) (about|on) {v}",
         "(did|does) research (in|on) {v}", "(gave|gives|held) (a talk|lectures|a course) (on|in) {v}"),
         Patterns("What (does|did) {n} study?", "(Which|What) subject (does {n} study|does {n} know|did {n} study)?", "What is (the subject of {n}|{n}'s subject|{n}'s field|{n}'s field of study)?", "(Which|What) field is {n} in?",
         "In (which|what) (subject|field) is {n} an expert?", "(Which|What) subject goes with {n}?")),
    Attr("bought", _thing, Patterns(*(f"[{m}] {v} {{v}}" for m in ("recently|once|also|finally|just",) for v in DEEDS)), [], wrap=article),
    Attr("friend", _name, Patterns(*FRIENDS), [], reverse=True),
    Attr("room", _num(1, 480), Patterns("[now|still|also] (has|uses|occupies) (room|office) {v}", "is [now|still] in (room|office) {v}", "(stays|works|sits|sleeps) in (room|office) {v} [these days|at present]", "was (given|assigned) (room|office) {v} [last week|on arrival]", "can be found in (room|office) {v}"),
         Patterns("(Which|What) (room|office) (is {n} in|does {n} have|does {n} use|was {n} given)?", "What is (the room of {n}|{n}'s room|{n}'s room number|the room number of {n})?", "In (which|what) (room|office) (is {n}|does {n} sit|can {n} be found)?"),
         numeric=True),
    Attr("pets", _pets, Patterns("[now|still|also] (has|owns|keeps|feeds) {v} [at home|as pets]", "(takes|took) care of {v} [at home|every day]", "lives with {v} [at home]"), Patterns("(What|Which) (pets|animals) does {n} (have|keep|own|feed)?", "What pets are {n}'s?", "(What|Which) animals does {n} take care of?"), reverse=True),
    Attr("score", _num(3, 300), Patterns("[only|even|just] (scored|got|earned|won|made|collected) {v} points [in the game|in the end|on Sunday]", "(finished|ended|ended up|came out) with [only] {v} points [in the end]", "(has|had) {v} points [in the end|after the game]"),
         Patterns("How many points (did {n} score|did {n} get|does {n} have|did {n} win|did {n} make|did {n} earn)?", "What (was|is) {n}'s score?", "What score did {n} (get|have|make)?", "What (was|is) the score of {n}?"), numeric=True),
    Attr("day", _from(w.DAYS), Patterns("(is off|is free|is busy|is away) on {v}", "[also|always] (arrives|starts|leaves|trains|travels|comes back|works|sings) on {v} [at noon|in the evening]"),
         Patterns("(On which|Which|What) day is {n} mentioned?", "(Which|What) (day|weekday) (is it for|goes with|is named for) {n}?"), reverse=True),
]

def _entity(*attrs: Attr) -> list[Attr]:
    return list(attrs)


_MAKER = Attr("maker", company, Patterns("(is|was) [still|originally|mostly] (made|built|produced|designed|developed) by {v}", "[originally] comes from [the firm|the house of] {v}", "is [originally] (the work|a product) of {v}"),
              Patterns("Who (makes|built|made|designed|produces) {n}?", "(Which|What) company (makes|built|made|produces) {n}?", "Who (is|was) the (maker|producer) of {n}?", "By whom (is|was) {n} (made|built|designed|produced)?"))
_FOUNDED = Attr("founded", _num(1120, 2020), Patterns("was [first|originally] (founded|established|started|set up) in [the year|early|late] {v}", "dates [back] (from|to) [the year|early|late] {v}", "has (existed|been there|been around) since [the year|early|late] {v}"),
                Patterns("When was {n} [first] (founded|established|started|set up)?", "In (which|what) year was {n} (founded|established|started|set up)?", "Since when (does {n} exist|has {n} existed)?", "(Which|What) year was {n} founded?"), numeric=True)
_FOUNDER = Attr("founder", _name, Patterns("was [first|originally] (founded|started|set up|created|established) by [a certain] {v}", "(has|had) {v} as its founder", "was the [first] (idea|work) of {v}"),
                Patterns("Who (founded|started|set up|created|established) {n}?", "Who (is|was) the founder of {n}?", "By whom was {n} (founded|started|set up|created)?"))
_PRICE = Attr("price", _num(2, 950), Patterns("[now|only|still|usually] (costs|goes for|sells for) {v} dollars [these days|at present|in shops]", "is [now|only|usually] (sold|offered|priced|on sale) (for|at) {v} dollars", "(has|had|carries) a price of [only] {v} dollars"),
              Patterns("How much (does {n} cost|is {n})?", "What is the price of {n} [in dollars]?", "What does {n} cost [in dollars]?", "How many dollars (does {n} cost|is {n})?"), numeric=True)
_COLOR = Attr("color", _from(w.COLORS), Patterns("is [mostly|always|usually|all] {v} [in color]", "(has|comes in) a {v} (cover|case|coat|color)", "was [once|recently] painted {v}", "[always|usually] comes in {v}"),
              Patterns("(What|Which) color (is {n}|does {n} have|does {n} come in)?", "What is the color of {n}?"))
_PLACE = Attr("place", place, Patterns("is [now|still|currently] (in|near) [the center of|the heart of|the north of] {v}", "(stands|lies|sits) [right|just] (in|near|outside) [the center of|the heart of] {v}", "(is|was) [now|still] (located|based|built|situated|found) (in|near|outside) {v}",
              "can be (found|seen|visited) (in|near|outside) {v}", "has its (seat|home|offices) (in|near) {v}"),
              Patterns("Where (is {n}|can {n} be found|is {n} located|is {n} based|does {n} stand|was {n} built)?", "In (which|what) (city|town|place) is {n} [located|based|found]?", "(Which|What) (city|town|place) is {n} in?"))
_MATERIAL = Attr("material", _from(w.MATERIALS), Patterns("(is|was) [mostly|entirely|partly] (made|built|carved|formed) (of|from|out of) [solid|fine|old] {v}", "[mostly|entirely] consists of [solid|fine|old] {v}"),
                 Patterns("What (is|was) {n} (made|built) (of|from)?", "(Which|What) material (is|was) {n} made of?", "Of what is {n} made?", "What does {n} consist of?"))
_YEAR = Attr("year", _num(1150, 2022), Patterns("was [finally|first|already] (completed|finished|opened|shown|presented) in [the year|early|late|spring] {v}", "[first|finally] opened in [the year|early|late|spring] {v}"),
             Patterns("When (was {n} completed|was {n} finished|did {n} open|was {n} opened|was {n} shown)?", "In (which|what) year (was {n} finished|was {n} completed|did {n} open|was {n} opened)?", "(Which|What) year is given for {n}?"), numeric=True)
_HEIGHT = Attr("height", _num(4, 900), Patterns("is [about|almost|over|exactly] {v} meters (high|tall)", "has a [total] height of [about|almost|over|exactly] {v} meters", "(rises|stands|reaches) [about|almost|over] {v} meters [high|tall]"),
               Patterns("How (high|tall) is {n} [in meters]?", "What is the height of {n} [in meters]?", "How many meters (high|tall) is {n}?", "What height does {n} have?"), numeric=True)
_PEOPLE = Attr("people", _num(20, 99000), Patterns("(has|counts|had) [about|almost|over|only] {v} (inhabitants|residents|citizens|people)", "is [now|still] home to [about|almost|over|only] {v} (people|residents|citizens)", "has a population of [about|almost|over|only] {v} [people]"),
               Patterns("How many people (live in {n}|does {n} have)?", "What is the population of {n}?", "How many (inhabitants|residents|citizens) does {n} (have|count)?", "What population does {n} have?"), numeric=True)
_STAFF = Attr("staff", _num(3, 9000), Patterns("[now|still|currently] (has|employs|pays|counts) [about|almost|over|only] {v} (employees|people|workers)", "has a staff of [about|almost|over|only] {v} [people]"),
              Patterns("How many (people|workers|employees) (work at {n}|does {n} employ|does {n} have|does {n} pay)?", "How large is the staff of {n}?", "What is the number of (employees|workers) of {n}?"), numeric=True)
_BOSS = Attr("boss", _name, Patterns("is [now|still|currently] (led|run|managed|headed|directed) by {v} [these days|at present]", "(has|had) {v} as its [new|current] (head|director|manager)", "(is|was) [now|still] under the (lead|direction) of {v}"),
             Patterns("Who (leads|runs|manages|heads|directs) {n}?", "Who is the (head|director|manager) of {n}?", "Who is in charge of {n}?", "By whom is {n} (led|run|managed|headed)?"))
_AUTHOR = Attr("author", _name, Patterns("(was|is) [originally|mostly|entirely] (written|created|made) by {v} [years ago]", "is [mostly|entirely] the work of {v}", "is [a work|a book|a piece] by {v}"),
               Patterns("Who (wrote|created|made) {n}?", "Who (is|was) the (author|creator|maker) of {n}?", "By whom (is|was) {n} [written|made]?", "Whose work is {n}?"))
_COUNTRY = Attr("country", _from(w.COUNTRIES), Patterns("(is|lies) [located|situated] (in|in the north of|in the south of|in the middle of) {v}", "[now|still] belongs to {v}", "is [now|still] [a] part of {v}", "can be found in [the north of|the south of|the middle of] {v}"),
                Patterns("In (which|what) country (is {n}|does {n} lie|can {n} be found)?", "(Which|What) country (is {n} in|does {n} lie in|does {n} belong to)?", "To (which|what) country does {n} belong?", "What is the country of {n}?"))
_SELLS = Attr("sells", lambda ctx: _plural(ctx.pick(w.OBJECTS)), Patterns("[now|still|mostly|also] (sells|makes|produces|exports|manufactures|builds) [cheap|fine|good|used] {v} [these days|at present]", "is [well] known for [its] [cheap|fine|good] {v}"),
              Patterns("What does {n} (sell|make|produce|export|manufacture|build)?", "(Which|What) (product|goods) does {n} (make|sell|produce|export)?", "What is {n} known for?"))
_OPENS = Attr("opens", _clock, Patterns("[usually|always|already|only] (opens|starts|begins) at {v} [on weekdays|on Sundays|in winter]", "is [set|planned] (for|to open at|to start at) {v}", "takes place at {v} [on weekdays|on Sundays]"),
              Patterns("When does {n} (open|start|begin|take place)?", "At (what|which) time does {n} (start|open|begin)?", "What time (is given for {n}|does {n} start)?"), reverse=False)
_DATE = Attr("date", _date, Patterns("(takes|took|will take) place on {v}", "(is|was|will be) [held|planned for|set for] on {v}", "(is|was) [now|again|originally] (held|planned|set|moved) (on|for|to) {v}"),
             Patterns("When (is {n}|does {n} take place|is {n} held|was {n} held)?", "On (which|what) date (is {n}|does {n} take place|is {n} held)?", "What is the date of {n}?"), reverse=False)
_LENGTH = Attr("length", _num(2, 3000), Patterns("is [about|almost|over|exactly] {v} kilometers long", "has a [total] length of [about|almost|over|exactly] {v} kilometers", "(runs for|measures|covers|stretches) [about|almost|over|exactly] {v} kilometers"),
               Patterns("How long is {n} [in kilometers]?", "What is the length of {n} [in kilometers]?", "How many kilometers (long is {n}|does {n} measure|does {n} cover)?", "What length does {n} have?"), numeric=True)
_WARRANTY = Attr("warranty", _num(1, 12), Patterns("(has|carries|offers) a warranty of [full|only|up to] {v} years", "comes with [full|only|up to] {v} years of warranty", "is covered for [full|only|up to] {v} years", "has [full|only|up to] {v} years of warranty"),
                 Patterns("How long is the warranty of {n}?", "How many years of warranty does {n} (have|carry|offer)?", "What warranty does {n} (have|carry|offer)?", "For how many years is {n} covered?"), numeric=True)
_MAYOR = Attr("mayor", _name, Patterns("(has|had|got|elected|chose) {v} as [its] [new|current] mayor", "is [now|still|currently] (governed|run|led) by [mayor] {v} [these days|at present]"),
              Patterns("Who is [the] [current] mayor of {n}?", "Who (governs|runs|leads) {n}?", "What is the name of the mayor of {n}?", "Who was elected mayor of {n}?"))


def _landmark(ctx: Ctx) -> str:
    head = w.invented(ctx.rng) if ctx.chance(0.5) else ctx.pick(w.SURNAMES if ctx.chance(0.5) else w.PLACES)
    return f"the {head} {ctx.pick(('Tower', 'Bridge', 'Museum', 'Castle', 'Library', 'Theater', 'Hotel', 'Church', 'Gate', 'Palace', 'Hall'))}"


def _product(ctx: Ctx) -> str:
    if ctx.chance(0.5):
        return f"the {w.invented(ctx.rng)} {ctx.pick(w.OBJECTS)}"
    return f"the {w.invented(ctx.rng)} {ctx.int(2, 90) * 10}"


def _book(ctx: Ctx) -> str:
    shape = ctx.int(0, 2)
    title = (f"The {ctx.pick(w.ADJS).capitalize()} {ctx.pick(w.ANIMALS).capitalize()}", f"{ctx.pick(w.COLORS).capitalize()} {ctx.pick(w.OBJECTS).title()}",
             f"The {ctx.pick(w.OBJECTS).title()} of {place(ctx)}")[shape]
    return f'"{title}"' if ctx.chance(0.5) else title


def _event(ctx: Ctx) -> str:
    return f"the {ctx.pick((*w.SUBJECTS.of(ctx.split), 'summer', 'winter', 'jazz', 'book', 'wine', 'film'))} {ctx.pick(('festival', 'conference', 'fair', 'workshop', 'meeting', 'exhibition', 'concert', 'race'))}"


def _ship(ctx: Ctx) -> str:
    return f"the {ctx.pick(('river', 'Lake', 'Mount', 'Cape'))} {w.invented(ctx.rng)}".replace("the Lake", "Lake").replace("the Mount", "Mount").replace("the Cape", "Cape")


ENTITIES: list[tuple[Callable[[Ctx], str], list[Attr], str]] = [
    (company, _entity(_PLACE, _FOUNDED, _FOUNDER, _STAFF, _BOSS, _SELLS), "the company"),
    (place, _entity(_COUNTRY, _FOUNDED, _PEOPLE, _SELLS, _MAYOR), "the town"),
    (_landmark, _entity(_PLACE, _YEAR, _HEIGHT, _MATERIAL, _MAKER, _OPENS), "it"),
    (_product, _entity(_MAKER, _PRICE, _COLOR, _MATERIAL, _WARRANTY), "it"),
    (_book, _entity(_AUTHOR, _YEAR, _PRICE, _COLOR), "it"),
    (_event, _entity(_PLACE, _DATE, _OPENS, _PRICE, _BOSS), "it"),
    (_ship, _entity(_COUNTRY, _LENGTH, _HEIGHT), "it"),
]
