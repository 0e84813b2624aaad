"""Writes the saved predictors beside it, with DSPy 3.4.1: `python3 save.py`. With a file as argument it loads that file, as written by this
crate, into the predictor of `predict.json` or (argument 2: `cot`) of `chain_of_thought.json`, and prints what DSPy then has."""

import json
import sys

import dspy


class QA(dspy.Signature):
    """Answer the question from the passage."""

    passage: str = dspy.InputField(desc="Text to read.")
    question: str = dspy.InputField()
    answer: str = dspy.OutputField(desc="A short answer.")


class Triage(dspy.Signature):
    """Triage."""

    ticket: str = dspy.InputField()
    urgent: bool = dspy.OutputField()
    stars: int = dspy.OutputField()
    tags: list[str] = dspy.OutputField()


def weather(city: str) -> str:
    "weather"
    return city


if len(sys.argv) > 1:
    program = dspy.ChainOfThought(Triage) if sys.argv[2:] == ["cot"] else dspy.Predict(QA)
    program.load(sys.argv[1])
    predictor = program.predictors()[0]
    print(json.dumps({"instructions": predictor.signature.instructions, "demos": [dict(demo) for demo in predictor.demos]}))
    sys.exit()

predict = dspy.Predict(QA)
predict.demos = [
    dspy.Example(passage="Nora is a baker.", question="What is Nora?", answer="a baker").with_inputs("passage", "question"),
    dspy.Example(augmented=True, passage="Ivo has 3 cats.", question="How many cats has Ivo?", answer="3"),
]
predict.signature = predict.signature.with_instructions("Answer in one or two words from the passage.")
predict.save("predict.json")

cot = dspy.ChainOfThought(Triage)
cot.predict.demos = [
    dspy.Example(ticket="It burns!", reasoning="Fire is urgent.", urgent=True, stars=1, tags=["fire"]),
    {"ticket": "Thanks", "urgent": False, "stars": 5, "tags": []},
]
cot.set_lm(dspy.LM("openai/x", temperature=0.5, max_tokens=200))
cot.save("chain_of_thought.json")

dspy.ReAct("question -> answer", tools=[weather]).save("react.json")
