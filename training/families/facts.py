"""Entities and their attributes for passage question answering: verb phrases, values and questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

from .. import words as w
from .common import Ctx, article, company, person, place


@dataclass
class Attr:
    """An attribute: how a value is drawn, said after a subject, and asked for."""

    key: str
    draw: Callable[[Ctx], str]
    phrases: list[str]
    questions: list[str]
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


PERSON = [
    Attr("job", _from(w.JOBS), ["works as {v}", "is {v}", "is {v} by profession", "earns a living as {v}", "has worked as {v} for years",
         "has a job as {v}", "was hired as {v}", "became {v} last year", "makes money as {v}", "now works as {v}"],
         ["What is {n}'s job?", "What does {n} do for a living?", "What does {n} work as?", "What is the profession of {n}?",
          "What is the job of {n}?", "Which job does {n} have?", "What kind of work does {n} do?", "{n} works as what?",
          "What is {n}'s profession?", "What work does {n} do for a living?"], wrap=article),
    Attr("home", place, ["lives in {v}", "has a home in {v}", "moved to {v}", "has lived in {v} since spring", "is living in {v}",
         "resides in {v}", "has settled in {v}", "rents a flat in {v}", "owns a house in {v}", "lives near the center of {v}"],
         ["Where does {n} live?", "In which city does {n} live?", "Which town does {n} live in?", "Where is {n}'s home?",
          "In which town does {n} live?", "What city is {n} living in?", "Where is {n} living?", "Which city is home to {n}?",
          "What is {n}'s home town?", "In what city is {n} living?"]),
    Attr("born", place, ["was born in {v}", "was born and raised in {v}", "comes from {v}", "is originally from {v}", "was born near {v}",
         "grew up in {v}", "spent a childhood in {v}", "has roots in {v}", "is a native of {v}", "originally came from {v}"],
         ["Where was {n} born?", "Where does {n} come from?", "What is {n}'s birthplace?", "Where is {n} from?",
          "What is the birthplace of {n}?", "In which city was {n} born?", "Where did {n} grow up?", "Which town is {n} from?",
          "Where is {n} originally from?", "In which town did {n} grow up?"]),
    Attr("age", _num(8, 95), ["is {v} years old", "turned {v} this year", "is {v}", "will soon be {v} years old", "just turned {v}",
         "celebrated a birthday and is now {v}", "is aged {v}", "is now {v} years of age", "has reached the age of {v}", "is now {v} years old"],
         ["How old is {n}?", "What is {n}'s age?", "What age is {n}?", "What is the age of {n}?", "How old is {n} now?",
          "How many years old is {n}?", "At present, how old is {n}?", "What is {n}'s age in years?", "Tell me the age of {n}.",
          "Tell me how old {n} is."], numeric=True),
    Attr("year", _num(1780, 2015), ["was born in {v}", "came into the world in {v}", "was born in the year {v}", "has been around since {v}",
         "was a child of the year {v}"],
         ["In which year was {n} born?", "What year was {n} born in?", "What is {n}'s birth year?", "In what year was {n} born?",
          "What was the birth year of {n}?"], numeric=True),
    Attr("hobby", _from(w.HOBBIES), ["loves {v}", "enjoys {v}", "spends weekends on {v}", "has a passion for {v}", "is fond of {v}",
         "likes {v} most of all", "relaxes with {v}", "took up {v}", "is very keen on {v}", "likes {v} after work"],
         ["What is {n}'s hobby?", "What does {n} enjoy?", "What does {n} like to do?", "Which hobby does {n} have?", "What is the hobby of {n}?",
          "What does {n} do for fun?", "What is {n}'s favorite pastime?", "What does {n} love?", "What does {n} do in free time?",
          "What hobby does {n} enjoy?"]),
    Attr("instrument", _from(w.INSTRUMENTS), ["plays the {v}", "is learning the {v}", "practices the {v} every day", "can play the {v}",
         "plays the {v} in a band", "has played the {v} since school", "teaches the {v}", "studies the {v}", "performs on the {v}",
         "plays the {v} every day"],
         ["Which instrument does {n} play?", "What instrument does {n} play?", "What does {n} play?", "What is {n}'s instrument?",
          "What instrument can {n} play?", "Which musical instrument does {n} play?", "What musical instrument does {n} practice?",
          "On which instrument does {n} practice?", "Name the instrument of {n}.", "Which instrument can {n} play?"]),
    Attr("pet", _from(w.PETS), ["has {v}", "owns {v}", "keeps {v} at home", "has {v} as a pet", "adopted {v}", "bought {v} last month",
         "takes care of {v}", "got {v} for a birthday", "is the owner of {v}", "has adopted {v}"],
         ["What pet does {n} have?", "Which animal does {n} own?", "What kind of pet does {n} keep?", "Which pet does {n} have?",
          "What animal does {n} have?", "What is {n}'s pet?", "What animal does {n} keep?", "Which animal is {n}'s pet?",
          "What pet does {n} own?", "Which pet does {n} keep?"], wrap=article),
    Attr("color", _from(w.COLORS), ["likes the color {v}", "prefers {v}", "always wears {v}", "has {v} as a favorite color", "loves the color {v}",
         "painted the house {v}", "chose {v} for the walls", "thinks {v} is the best color"],
         ["What is {n}'s favorite color?", "Which color does {n} like?", "What color does {n} prefer?", "Which color does {n} prefer?",
          "What color does {n} like best?", "What is the favorite color of {n}?", "Which color did {n} choose?", "What color does {n} love?"]),
    Attr("food", _from(w.FOODS), ["likes to eat {v}", "ordered {v}", "eats {v} for lunch", "cooked {v}", "loves to eat {v}", "had {v} for dinner",
         "brought {v} to the party", "always orders {v}", "prepared {v}", "usually eats {v}"],
         ["What does {n} like to eat?", "What food does {n} like?", "What did {n} eat?", "Which food does {n} eat?", "What food does {n} eat?",
          "What did {n} order to eat?", "What did {n} have to eat?", "Which dish goes with {n}?", "What is {n}'s food?",
          "What does {n} eat?"]),
    Attr("drink", _from(w.DRINKS), ["drinks {v}", "ordered a glass of {v}", "drinks {v} every morning", "starts the day with {v}",
         "likes to drink {v}", "drank {v} with the meal"],
         ["What does {n} drink?", "What does {n} like to drink?", "Which drink does {n} like?", "What is {n}'s drink?", "What drink does {n} like?"]),
    Attr("employer", company, ["works for {v}", "is employed by {v}", "joined {v}", "has a contract with {v}", "is with {v}",
         "signed with {v}", "was hired by {v}", "got a position at {v}", "is on the staff of {v}", "was employed by {v}"],
         ["Who does {n} work for?", "Which company does {n} work for?", "Who is {n}'s employer?", "Where is {n} employed?",
          "What company does {n} work for?", "What is the employer of {n}?", "At which company does {n} work?", "Which company employs {n}?",
          "Who employs {n}?", "What company employs {n}?"]),
    Attr("workplace", _from(w.WORKPLACES), ["works at the {v}", "works in the {v}", "spends the day at the {v}", "has a desk at the {v}",
         "has work at the {v}", "starts work at the {v}", "does shifts at the {v}", "reports to the {v} each day"],
         ["Where does {n} work?", "What is {n}'s place of work?", "At which place does {n} work?", "In which place does {n} work?",
          "What place does {n} work at?", "Where does {n} go to work?", "What is {n}'s workplace?", "Which place does {n} work in?"]),
    Attr("language", _from(w.LANGUAGES), ["speaks {v}", "is fluent in {v}", "is learning {v}", "knows some {v}", "speaks {v} at home",
         "can read {v}", "takes lessons in {v}", "grew up speaking {v}", "understands {v}", "speaks very good {v}"],
         ["Which language does {n} speak?", "What language does {n} speak?", "What does {n} speak?", "Which language does {n} know?",
          "What is {n}'s language?", "What language does {n} know?", "Which language is {n} learning?", "Which language can {n} read?",
          "In which language is {n} fluent?", "What language can {n} speak?"]),
    Attr("subject", _from(w.SUBJECTS), ["studies {v}", "teaches {v}", "has a degree in {v}", "took a course in {v}", "is an expert in {v}",
         "wrote a book about {v}", "majors in {v}", "did research in {v}", "gave a talk on {v}", "took a degree in {v}"],
         ["What does {n} study?", "Which subject does {n} study?", "What subject does {n} know?", "What is {n}'s subject?",
          "What is {n}'s field of study?", "What field is {n} in?", "Which subject goes with {n}?", "What subject does {n} study?",
          "In which subject is {n} an expert?", "What is the subject of {n}?"]),
    Attr("bought", _thing, ["bought {v}", "owns {v}", "lost {v}", "found {v}", "sold {v}", "carries {v}", "borrowed {v}", "repaired {v}",
         "broke {v}", "picked up {v}", "brought {v}", "stole {v}", "hid {v}", "received {v}", "invented {v}"], [], wrap=article),
    Attr("friend", _name, ["is a friend of {v}", "is married to {v}", "shares a flat with {v}", "works with {v}", "is a cousin of {v}", "met {v}",
         "wrote to {v}", "traveled with {v}", "is a neighbor of {v}", "is engaged to {v}"], [], reverse=True),
    Attr("room", _num(1, 480), ["has room {v}", "is in room {v}", "stays in room {v}", "works in office {v}", "sits in room {v}", "was given room {v}"],
         ["Which room is {n} in?", "What is {n}'s room number?", "What room does {n} have?", "Which room does {n} have?", "What is the room of {n}?"],
         numeric=True),
    Attr("pets", _pets, ["has {v}", "owns {v}", "keeps {v}", "takes care of {v}", "feeds {v}"], ["What pets does {n} have?", "Which animals does {n} have?",
         "What animals does {n} keep?", "Which pets does {n} own?", "What pets does {n} keep?"], reverse=True),
    Attr("score", _num(3, 300), ["scored {v} points", "got {v} points", "finished with {v} points", "earned {v} points", "won {v} points",
         "ended up with {v} points"],
         ["How many points did {n} score?", "How many points did {n} get?", "What was {n}'s score?", "What score did {n} get?",
          "How many points does {n} have?"], numeric=True),
    Attr("day", _from(w.DAYS), ["is off on {v}", "arrives on {v}", "is free on {v}", "starts on {v}", "leaves on {v}", "trains on {v}"],
         ["On which day is {n} mentioned?", "Which day is it for {n}?", "Which weekday goes with {n}?", "What day is named for {n}?"], reverse=True),
]

FRIEND_QUESTIONS = {
    "is a friend of {v}": "Who is {n} a friend of?", "is married to {v}": "Who is {n} married to?",
    "shares a flat with {v}": "Who does {n} share a flat with?", "works with {v}": "Who does {n} work with?",
    "is a cousin of {v}": "Who is {n} a cousin of?", "met {v}": "Who did {n} meet?", "wrote to {v}": "Who did {n} write to?",
    "traveled with {v}": "Who did {n} travel with?", "is a neighbor of {v}": "Who is {n} a neighbor of?",
    "is engaged to {v}": "Who is {n} engaged to?",
}

# Attributes whose question depends on the verb that was used.
VERB_QUESTIONS = {
    "buy": "bought", "own": "owns", "lose": "lost", "find": "found", "sell": "sold", "carry": "carries", "borrow": "borrowed",
    "repair": "repaired", "break": "broke", "pick up": "picked up", "bring": "brought", "steal": "stole", "hide": "hid",
    "receive": "received", "invent": "invented",
}


def _entity(*attrs: Attr) -> list[Attr]:
    return list(attrs)


_MAKER = Attr("maker", company, ["is made by {v}", "was built by {v}", "comes from {v}", "is produced by {v}", "was designed by {v}"],
              ["Who makes {n}?", "Which company makes {n}?", "Who built {n}?", "Who is the maker of {n}?", "What company makes {n}?"])
_FOUNDED = Attr("founded", _num(1120, 2020), ["was founded in {v}", "dates from {v}", "has existed since {v}", "was established in {v}", "was started in {v}"],
                ["When was {n} founded?", "In which year was {n} founded?", "Since when does {n} exist?", "What year was {n} founded?",
                 "In what year was {n} founded?"], numeric=True)
_FOUNDER = Attr("founder", _name, ["was founded by {v}", "was started by {v}", "was set up by {v}", "was created by {v}", "was first founded by {v}"],
                ["Who founded {n}?", "Who started {n}?", "Who is the founder of {n}?", "By whom was {n} founded?", "Who was the founder of {n}?"])
_PRICE = Attr("price", _num(2, 950), ["costs {v} dollars", "is sold for {v} dollars", "has a price of {v} dollars", "goes for {v} dollars", "is priced at {v} dollars"],
              ["How much does {n} cost?", "What is the price of {n}?", "What does {n} cost?", "How many dollars does {n} cost?", "What is the price of {n} in dollars?"],
              numeric=True)
_COLOR = Attr("color", _from(w.COLORS), ["is {v}", "has a {v} cover", "was painted {v}", "comes in {v}", "is {v} in color"],
              ["What color is {n}?", "Which color does {n} have?", "What is the color of {n}?", "What color does {n} have?", "Which color is {n}?"])
_PLACE = Attr("place", place, ["is in {v}", "stands in {v}", "is located in {v}", "can be found in {v}", "lies in {v}", "is based in {v}",
              "was built in {v}", "is situated in {v}", "has its seat in {v}", "is found in {v}"],
              ["Where is {n}?", "In which city is {n}?", "Where can {n} be found?", "Where is {n} located?", "Which city is {n} in?",
               "What city is {n} in?", "In which town is {n}?", "Where is {n} based?", "Which town is {n} in?", "In what city is {n}?"])
_MATERIAL = Attr("material", _from(w.MATERIALS), ["is made of {v}", "consists of {v}", "was built from {v}", "is carved from {v}", "is made out of {v}"],
                 ["What is {n} made of?", "Which material is {n} made of?", "What material is {n} made of?", "Of what is {n} made?", "What does {n} consist of?"])
_YEAR = Attr("year", _num(1150, 2022), ["was completed in {v}", "was finished in {v}", "opened in {v}", "was first shown in {v}", "was opened in {v}"],
             ["When was {n} completed?", "In which year was {n} finished?", "When did {n} open?", "What year is given for {n}?", "In what year was {n} completed?"],
             numeric=True)
_HEIGHT = Attr("height", _num(4, 900), ["is {v} meters high", "is {v} meters tall", "has a height of {v} meters", "rises {v} meters", "stands {v} meters high"],
               ["How high is {n}?", "How tall is {n}?", "What is the height of {n}?", "How many meters high is {n}?", "What height does {n} have?"], numeric=True)
_PEOPLE = Attr("people", _num(20, 99000), ["has {v} inhabitants", "is home to {v} people", "has a population of {v}", "counts {v} residents", "has {v} residents"],
               ["How many people live in {n}?", "What is the population of {n}?", "How many inhabitants does {n} have?", "How many residents does {n} have?",
                "What population does {n} have?"], numeric=True)
_STAFF = Attr("staff", _num(3, 9000), ["has {v} employees", "employs {v} people", "has a staff of {v}", "pays {v} workers", "has {v} workers"],
              ["How many people work at {n}?", "How many employees does {n} have?", "How many people does {n} employ?", "How large is the staff of {n}?",
               "How many workers does {n} have?"], numeric=True)
_BOSS = Attr("boss", _name, ["is led by {v}", "is run by {v}", "has {v} as its head", "is managed by {v}", "is headed by {v}"],
             ["Who leads {n}?", "Who runs {n}?", "Who is the head of {n}?", "Who manages {n}?", "Who is in charge of {n}?"])
_AUTHOR = Attr("author", _name, ["was written by {v}", "is the work of {v}", "was created by {v}", "is by {v}", "was made by {v}"],
               ["Who wrote {n}?", "Who created {n}?", "Who is the author of {n}?", "Who made {n}?", "By whom is {n}?"])
_COUNTRY = Attr("country", _from(w.COUNTRIES), ["is in {v}", "lies in {v}", "belongs to {v}", "is a part of {v}", "is located in {v}"],
                ["In which country is {n}?", "Which country is {n} in?", "What country is {n} in?", "To which country does {n} belong?", "What is the country of {n}?"])
_SELLS = Attr("sells", lambda ctx: _plural(ctx.pick(w.OBJECTS)), ["sells {v}", "makes {v}", "produces {v}", "exports {v}", "manufactures {v}"],
              ["What does {n} sell?", "What does {n} make?", "What does {n} produce?", "Which product does {n} make?", "What product does {n} sell?"])
_OPENS = Attr("opens", _clock, ["opens at {v}", "starts at {v}", "begins at {v}", "is set for {v}", "takes place at {v}"],
              ["When does {n} open?", "At what time does {n} start?", "When does {n} begin?", "What time is given for {n}?", "At what time does {n} begin?"], reverse=False)
_DATE = Attr("date", _date, ["takes place on {v}", "is on {v}", "was held on {v}", "is planned for {v}", "will be on {v}"],
             ["When is {n}?", "On which date is {n}?", "What is the date of {n}?", "When does {n} take place?", "On what date is {n}?"], reverse=False)
_LENGTH = Attr("length", _num(2, 3000), ["is {v} kilometers long", "has a length of {v} kilometers", "runs for {v} kilometers", "measures {v} kilometers", "covers {v} kilometers"],
               ["How long is {n}?", "What is the length of {n}?", "How many kilometers long is {n}?", "What length does {n} have?", "How many kilometers does {n} measure?"],
               numeric=True)
_WARRANTY = Attr("warranty", _num(1, 12), ["has a warranty of {v} years", "comes with {v} years of warranty", "is covered for {v} years", "has {v} years of warranty"],
                 ["How long is the warranty of {n}?", "How many years of warranty does {n} have?", "What warranty does {n} have?", "For how many years is {n} covered?"],
                 numeric=True)


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
    (place, _entity(_COUNTRY, _FOUNDED, _PEOPLE, _SELLS, Attr("mayor", _name, ["has {v} as its mayor", "is governed by {v}", "elected {v} as mayor", "is run by mayor {v}"],
     ["Who is the mayor of {n}?", "Who governs {n}?", "Who is mayor of {n}?", "What is the name of the mayor of {n}?"])), "the town"),
    (_landmark, _entity(_PLACE, _YEAR, _HEIGHT, _MATERIAL, _MAKER, _OPENS), "it"),
    (_product, _entity(_MAKER, _PRICE, _COLOR, _MATERIAL, _WARRANTY), "it"),
    (_book, _entity(_AUTHOR, _YEAR, _PRICE, _COLOR), "it"),
    (_event, _entity(_PLACE, _DATE, _OPENS, _PRICE, _BOSS), "it"),
    (_ship, _entity(_COUNTRY, _LENGTH, _HEIGHT), "it"),
]
