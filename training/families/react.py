"""ReAct: choosing a tool and its arguments, reading the observation, finishing, and the final answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from .. import words as w
from ..prompt import Field, Spec
from .common import Built, Case, Ctx, company, describe, distinct, first_name, naming, place
from .qa import QUESTION

STEP = 'Vec<struct Step:{"thought":"String","tool":"String","args":"HashMap<String,Json>","observation":"String"}>'
ANSWERS = "answer response result reply final_answer output solution".split()
INSTRUCTIONS = ["Answer the question.", "Answer the question with the tools.", "Help the user.", "Find the answer.", "", "Use tools to answer.", "Answer what is asked.", "Assist the user.", "You are an agent that looks things up.", "Find what is asked."]


@dataclass
class Param:
    """A parameter: names, prompt type, and how a value is drawn (value, its wording)."""

    names: list[str]
    type: str
    draw: Callable[[Ctx], tuple[Any, str]]


@dataclass
class Skill:
    """What a tool can do: names, descriptions, parameters, questions and observations."""

    names: list[str]
    descs: list[str]
    params: list[Param]
    asks: list[str]
    sees: list[str]
    value: Callable[[Ctx], str]


def _str(make: Callable[[Ctx], str]) -> Callable[[Ctx], tuple[Any, str]]:
    def draw(ctx: Ctx) -> tuple[str, str]:
        value = make(ctx)
        return value, value

    return draw


def _whole(lo: int, hi: int) -> Callable[[Ctx], tuple[Any, str]]:
    def draw(ctx: Ctx) -> tuple[int, str]:
        value = ctx.int(lo, hi)
        return value, str(value)

    return draw


CITY = Param("city town place location where".split(), "str", _str(place))
PERSON = Param("name person who employee user".split(), "str", _str(first_name))
THING = Param("item product thing name article".split(), "str", _str(lambda c: c.pick(w.OBJECTS)))
FIRM = Param("company firm name organization business".split(), "str", _str(company))
COUNTRY = Param("country nation land state".split(), "str", _str(lambda c: c.pick(w.COUNTRIES)))
TERM = Param("query q term text topic".split(), "str", _str(lambda c: c.pick(w.SUBJECTS)))
ANIMAL = Param("animal species query creature".split(), "str", _str(lambda c: c.pick(w.ANIMALS)))
LANGUAGE = Param("language target lang to_language".split(), "str", _str(lambda c: c.pick(w.LANGUAGES)))
AMOUNT = Param("amount value number quantity".split(), "int", _whole(1, 900))
LEFT = Param("a x left first".split(), "int", _whole(1, 300))
RIGHT = Param("b y right second".split(), "int", _whole(1, 300))
DAYS = Param("days n count day_count".split(), "int", _whole(1, 30))


def _num(lo: int, hi: int, unit: str = "") -> Callable[[Ctx], str]:
    return lambda ctx: f"{ctx.int(lo, hi)}{unit}"


SKILLS = [
    Skill("weather get_weather weather_now check_weather forecast".split(), ["Current weather of a city.", "Tells the weather.", "Weather by city."], [CITY],
          ["What is the weather in {0}?", "How is the weather in {0}?", "What's the weather like in {0}?", "Tell me the weather in {0}.", "How is the weather today in {0}?"],
          ["{v}", "{0}: {v}", "The weather in {0} is {v}.", "It is {v} in {0}.", "Now {v}"], lambda c: c.pick(("sunny", "rainy", "cloudy", "windy", "foggy", "snowy", "stormy", "clear"))),
    Skill("temperature get_temperature degrees temp_lookup thermometer".split(), ["Temperature of a city.", "Degrees right now.", "Measures the temperature."], [CITY],
          ["How warm is it in {0}?", "What is the temperature in {0}?", "How cold is it in {0}?", "How many degrees is it in {0}?", "What temperature is it in {0}?"], ["{v}", "{0}: {v}", "It is {v} in {0}.", "Measured {v}", "Now {v}."], _num(1, 40, " degrees")),
    Skill("population get_population count_people inhabitants census".split(), ["Number of inhabitants.", "Population of a city.", "How many people live somewhere."], [CITY],
          ["How many people live in {0}?", "What is the population of {0}?", "How many inhabitants does {0} have?", "How big is {0}?", "What population does {0} have?"], ["{v}", "{0} has {v} inhabitants.", "population: {v}", "{v} people live in {0}.", "{0}: {v}"], _num(1000, 990000)),
    Skill("capital get_capital capital_of find_capital capital_lookup".split(), ["Capital of a country.", "Finds the capital city.", "Gives the capital."], [COUNTRY],
          ["What is the capital of {0}?", "Which city is the capital of {0}?", "Name the capital of {0}.", "What's the capital of {0}?", "Which is the capital city of {0}?"], ["{v}", "The capital of {0} is {v}.", "{0}: {v}", "capital: {v}", "It is {v}."], place),
    Skill("add plus sum_numbers adder addition".split(), ["Adds two numbers.", "Sum of two numbers.", "Addition."], [LEFT, RIGHT],
          ["What is {0} plus {1}?", "Add {0} and {1}.", "What is {0} + {1}?", "What is the sum of {0} and {1}?", "How much is {0} plus {1}?"], ["{v}"], lambda c: "+"),
    Skill("multiply times product mul multiplier".split(), ["Multiplies two numbers.", "Product of two numbers.", "Multiplication."], [LEFT, RIGHT],
          ["What is {0} times {1}?", "Multiply {0} by {1}.", "What is {0} * {1}?", "What is the product of {0} and {1}?", "How much is {0} times {1}?"], ["{v}"], lambda c: "*"),
    Skill("phone_book get_phone phone_number find_number directory".split(), ["Phone number of a person.", "Looks up a phone number.", "Telephone directory."], [PERSON],
          ["What is {0}'s phone number?", "Which number does {0} have?", "How can I call {0}?", "What is the phone number of {0}?", "What phone number does {0} have?"], ["{v}", "{0}: {v}", "The number is {v}.", "phone: {v}", "number: {v}"], lambda c: f"{c.int(100, 999)}-{c.int(1000, 9999)}"),
    Skill("email_of get_email find_email address_book mail_lookup".split(), ["Email address of a person.", "Looks up an email address.", "Email directory."], [PERSON],
          ["What is {0}'s email?", "Which email address does {0} have?", "Where can I write to {0}?", "What is the email of {0}?", "What email does {0} have?"], ["{v}", "{0}: {v}", "The address is {v}.", "email: {v}", "mail: {v}"], lambda c: f"{first_name(c).lower()}@{c.pick(('example', 'mail', 'post'))}.com"),
    Skill("office find_office room_of where_is locate_person".split(), ["Office of an employee.", "Finds a person's room.", "Where somebody sits."], [PERSON],
          ["Where does {0} sit?", "Which room is {0} in?", "Where can I find {0}?", "In which room does {0} sit?", "Where is {0}?"], ["{v}", "{0} is in {v}.", "location: {v}", "{0}: {v}", "In {v}"], lambda c: f"room {c.int(1, 480)}"),
    Skill("stock check_stock inventory in_stock count_items".split(), ["How many items are in stock.", "Stock level of a product.", "Counts a product."], [THING],
          ["How many {0} units are in stock?", "What is the stock of the {0}?", "How many of the {0} do we have?", "Do we have the {0}, and how many?", "How many of the {0} are in stock?"], ["{v}", "{0}: {v}", "{v} left", "stock: {v}", "There are {v}."], _num(2, 900)),
    Skill("price get_price price_of cost_lookup price_check".split(), ["Price of a product.", "Looks up what a product costs.", "Price list."], [THING],
          ["How much is the {0}?", "What does the {0} cost?", "What is the price of the {0}?", "How expensive is the {0}?", "How much does the {0} cost?"], ["{v}", "{0}: {v}", "It costs {v}.", "price: {v}", "The {0} costs {v}."], _num(2, 900, " dollars")),
    Skill("ceo get_ceo head_of company_boss leader".split(), ["Head of a company.", "Who leads a company.", "Finds the boss of a company."], [FIRM],
          ["Who leads {0}?", "Who is the head of {0}?", "Who runs {0}?", "Who is the boss of {0}?", "Who is in charge of {0}?"], ["{v}", "{0} is led by {v}.", "head: {v}", "The head is {v}.", "{0}: {v}"], lambda c: f"{first_name(c)} {c.pick(w.SURNAMES)}"),
    Skill("share_price stock_quote get_quote ticker market_price".split(), ["Share price of a company.", "Price of a company's share.", "Stock market quote."], [FIRM],
          ["What is the share price of {0}?", "How much is a share of {0}?", "What does a {0} share cost?", "What is {0} trading at?", "How much is one share of {0}?"], ["{v}", "{0}: {v}", "quote: {v}", "Last price {v}", "It is {v}."], lambda c: f"{c.int(1, 900)}.{c.int(10, 99)}"),
    Skill("search lookup encyclopedia wiki find_article".split(), ["Search the encyclopedia.", "Finds facts about a topic.", "Looks up a topic."], [TERM],
          ["Who is the founder of {0}?", "Who started modern {0}?", "Who is the father of {0}?", "Who founded {0}?", "Who is called the founder of {0}?"], ["{v}", "{0} was founded by {v}.", "The founder is {v}.", "founder: {v}", "It was founded by {v}."], lambda c: f"{first_name(c)} {c.pick(w.SURNAMES)}"),
    Skill("animal_facts zoo_lookup species_info lifespan animal_db".split(), ["Facts about animals.", "How long an animal lives.", "Animal database."], [ANIMAL],
          ["How long does a {0} live?", "What is the lifespan of a {0}?", "How old does a {0} get?", "How many years does a {0} live?", "How old can a {0} get?"], ["{v}", "A {0} lives {v}.", "lifespan: {v}", "{0}: {v}", "It lives {v}."], _num(2, 90, " years")),
    Skill("convert exchange to_euros currency currency_convert".split(), ["Converts dollars to euros.", "Dollars in euros.", "Currency exchange."], [AMOUNT],
          ["How many euros are {0} dollars?", "What are {0} dollars in euros?", "Convert {0} dollars to euros.", "How much is {0} dollars in euros?", "How many euros is {0} dollars?"], ["{v}", "{0} dollars are {v}.", "result: {v}", "= {v}", "It is {v}."], _num(2, 900, " euros")),
    Skill("translate translator word_in to_lang translation".split(), ["Translates hello.", "Says hello in a language.", "Greeting in a language."], [LANGUAGE],
          ["What is hello in {0}?", "How do you say hello in {0}?", "Translate hello to {0}.", "Say hello in {0}.", "How do I say hello in {0}?"], ["{v}", "{0}: {v}", "hello = {v}", "It is {v}.", "You say {v}."], lambda c: w.invented(c.rng, 0, False)),
    Skill("date_after add_days future_date calendar date_in".split(), ["The date in some days.", "Adds days to today.", "Calendar arithmetic."], [DAYS],
          ["What date is it in {0} days?", "Which date is {0} days from now?", "What is the date {0} days from today?", "What day is it in {0} days?", "Which date is it in {0} days?"], ["{v}", "in {0} days: {v}", "date: {v}", "It is {v}.", "That is {v}."], lambda c: f"{c.int(1, 28)} {c.pick(w.MONTHS)}"),
    Skill("opening_hours hours_of open_times when_open get_hours".split(), ["Opening hours of a shop in a city.", "When a shop is open.", "Opening times."], [THING, CITY],
          ["When can I buy a {0} in {1}?", "When does the {0} shop in {1} open?", "At what time does the {0} shop in {1} open?", "When is the {0} shop in {1} open?", "What time does the {0} shop in {1} open?"], ["{v}", "It opens at {v}.", "open from {v}", "opens: {v}", "From {v}."], _num(6, 11, " am")),
    Skill("distance get_distance how_far route_length measure".split(), ["Distance between two cities.", "How far two cities are apart.", "Length of the road between two cities."], [Param("origin from_city start a".split(), "str", _str(place)), Param("destination to_city end b".split(), "str", _str(place))],
          ["How far is it from {0} to {1}?", "What is the distance from {0} to {1}?", "How long is the road from {0} to {1}?", "How many kilometers from {0} to {1}?", "How far is the way from {0} to {1}?"], ["{v}", "{0} to {1}: {v}", "It is {v}.", "distance: {v}", "The road is {v} long."], _num(5, 2500, " kilometers")),
]
# Skills whose result is what another skill asks for: (first, second, question).
CHAINS = [
    ("capital", "weather", ["What is the weather in the capital of {0}?", "How is the weather in the capital of {0}?", "Tell me the weather in the capital city of {0}."]),
    ("capital", "population", ["How many people live in the capital of {0}?", "What is the population of the capital of {0}?", "How big is the capital of {0}?"]),
    ("capital", "temperature", ["How warm is it in the capital of {0}?", "What is the temperature in the capital of {0}?", "How cold is it in the capital of {0}?"]),
]
BY_NAME = {s.names[0]: s for s in SKILLS}


@dataclass
class Tool:
    """A skill under the names that this prompt gives it."""

    skill: Skill
    name: str
    desc: str
    params: list[str]

    def line(self) -> str:
        """The tool as the instruction lists it."""
        args = ", ".join(f"{n}: {p.type}" for n, p in zip(self.params, self.skill.params))
        return f"- {self.name}({args}): {self.desc}"


def _tool(ctx: Ctx, skill: Skill) -> Tool:
    name = ctx.pick(skill.names)
    r = ctx.rng.random()
    if r < 0.12:
        head, *tail = name.split("_")
        name = head + "".join(t.capitalize() for t in tail)
    elif r < 0.2:
        name = f"{ctx.pick(('tool', 'api', 'call', 'do', 'my'))}_{name}"
    return Tool(skill, name, ctx.pick(skill.descs), [ctx.pick(p.names) for p in skill.params])


def _call(ctx: Ctx, tool: Tool) -> tuple[dict[str, Any], list[str], str, str]:
    """Arguments, their wordings, the value that comes back, and the observation."""
    drawn = [p.draw(ctx) for p in tool.skill.params]
    texts = [t for _, t in drawn]
    value = tool.skill.value(ctx)
    if value in ("+", "*"):
        a, b = (v for v, _ in drawn)
        value = str(a + b if value == "+" else a * b)
    seen = ctx.phrase(tool.skill.sees).format(*texts, v=value)
    return dict(zip(tool.params, (v for v, _ in drawn))), texts, value, seen


def _think(tool: str) -> str:
    return f"I need {tool}."


def build(ctx: Ctx) -> Built:
    """A ReAct step (or final answer) signature over a set of tools, and its cases."""
    chain = ctx.pick(CHAINS) if ctx.chance(0.2) else None
    wanted = [BY_NAME[chain[0]], BY_NAME[chain[1]]] if chain else [ctx.pick(SKILLS)]
    others = [s for s in ctx.sample(SKILLS, 5) if s not in wanted][: ctx.int(0, 1 + int(ctx.level * 2.999))]
    skills = wanted + others
    ctx.rng.shuffle(skills)
    tools = [_tool(ctx, s) for s in skills]
    names = [t.name for t in tools]
    if len(set(names)) < len(names) or any(len(set(t.params)) < len(t.params) for t in tools):
        return build(ctx)
    p = 0.0 if ctx.chance(0.4) else 0.5
    question = Field(naming(ctx, QUESTION), "String", describe(ctx, ("The question.", "What is asked.", "What the user wants."), p))
    answer = Field(naming(ctx, ANSWERS), "String", describe(ctx, ("The answer.", "A short answer."), p))
    trajectory = Field("trajectory", STEP)
    base = ctx.phrase(INSTRUCTIONS)
    final = ctx.chance(0.25)
    if final:
        cot = [Field("reasoning", "String")] if ctx.chance(0.15) else []
        spec = Spec("Final", base, [question, trajectory], [*cot, answer])
    else:
        listing = "\n".join([t.line() for t in tools] + [f"- finish(): Call this when `{answer.name}` can be produced."])
        first = base or f"Given the fields `{question.name}`, produce the fields `{answer.name}`."
        instruction = (
            f"{first}\n\nUse the tools to collect what you need to produce `{answer.name}`. At each step give your next thought, the next tool "
            f"and its arguments as a JSON object; what the tool returns is added to `trajectory`.\nThe tools are:\n{listing}"
        )
        outputs = [Field("next_thought", "String"), Field("next_tool_name", f"enum:{'|'.join([*names, 'finish'])}"), Field("next_tool_args", "HashMap<String,Json>")]
        spec = Spec("Step", instruction, [question, trajectory], outputs)
    if not distinct([question, answer, trajectory]):
        return build(ctx)

    def case() -> Case:
        if chain:
            first_tool = next(t for t in tools if t.skill is wanted[0])
            second = next(t for t in tools if t.skill is wanted[1])
            args, texts, value, seen = _call(ctx, first_tool)
            asked = ctx.pick(chain[2]).format(*texts)
            args2 = {second.params[0]: value}
            value2 = second.skill.value(ctx)
            seen2 = ctx.phrase(second.skill.sees).format(value, v=value2)
            plan = [(first_tool, args, seen), (second, args2, seen2)]
            value = value2
        else:
            tool = next(t for t in tools if t.skill is ctx.pick(wanted)) if final or ctx.chance(0.5) else ctx.pick(tools)
            args, texts, value, seen = _call(ctx, tool)
            asked = ctx.noisy(ctx.phrase(tool.skill.asks)).format(*texts)
            plan = [(tool, args, seen)]
        steps = [{"thought": _think(t.name), "tool": t.name, "args": a, "observation": o} for t, a, o in plan]
        done = ctx.int(0, len(plan))
        if final:
            done = len(plan)
            if ctx.chance(0.7):
                steps.append({"thought": "I have what I need.", "tool": "finish", "args": {}, "observation": "done"})
                done += 1
            shown = {question.name: asked, "trajectory": steps[:done]}
            out: dict[str, Any] = {"reasoning": f"The tool returned: {plan[-1][2]}"} if len(spec.outputs) == 2 else {}
            return shown, {**out, answer.name: value}
        shown = {question.name: asked, "trajectory": steps[:done]}
        if done == len(plan):
            return shown, {"next_thought": "I have what I need.", "next_tool_name": "finish", "next_tool_args": {}}
        tool, args, _ = plan[done]
        return shown, {"next_thought": _think(tool.name), "next_tool_name": tool.name, "next_tool_args": args}

    return spec, case
