"""What Python DSPy 3 gets of the endpoint: Predict, ChainOfThought and ReAct, held to their fields by the server."""

import sys
from typing import Literal

import dspy

lm = dspy.LM("openai/embedded", api_base=sys.argv[1], api_key="none", temperature=0.0, max_tokens=200, cache=False)
dspy.configure(lm=lm)


class QA(dspy.Signature):
    """Answer the question from the passage."""

    passage: str = dspy.InputField(desc="Text to read.")
    question: str = dspy.InputField()
    answer: str = dspy.OutputField(desc="A short answer.")


class Triage(dspy.Signature):
    """Sort the ticket."""

    ticket: str = dspy.InputField()
    urgency: Literal["low", "high"] = dspy.OutputField()
    minutes: int = dspy.OutputField()
    tags: list[str] = dspy.OutputField()


PASSAGE = "Nora is a baker from Lisbon. Peter is a pilot from Oslo."


def predict():
    qa = dspy.Predict(QA)
    assert qa(passage=PASSAGE, question="Where is Nora from?").answer == "Lisbon"
    assert qa(passage=PASSAGE, question="What is the job of Peter?").answer == "pilot"
    triage = dspy.Predict(Triage)(ticket="The server room is on fire.")
    assert triage.urgency in ("low", "high") and isinstance(triage.minutes, int) and isinstance(triage.tags, list)


def chain_of_thought():
    program = dspy.ChainOfThought("question -> answer: int")
    out = program(question="Tom has 3 apples and buys 4 more. How many apples does Tom have?")
    print("  reasoning:", out.reasoning, "| answer:", out.answer)
    assert out.answer == 7 and out.reasoning


def react():
    called = []

    def population(location: str) -> str:
        """The number of people who live there."""
        called.append(location)
        return "545000"

    program = dspy.ReAct("question -> answer", tools=[population], max_iters=2)
    out = program(question="How many people live in Lisbon?")
    print("  calls:", called, "| trajectory:", {key: str(value)[:60] for key, value in out.trajectory.items()}, "| answer:", out.answer)
    assert called[:1] == ["Lisbon"], called
    assert out.trajectory["tool_name_0"] == "population" and out.trajectory["observation_0"] == "545000"
    assert isinstance(out.answer, str)


for check in [predict, chain_of_thought, react]:
    check()
    print(f"dspy {dspy.__version__}: {check.__name__}: passed")
