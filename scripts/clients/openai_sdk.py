"""What the OpenAI Python SDK gets of the endpoint: chat, streams, tools, schemas, log-probabilities, errors."""

import json
import sys

import openai
from openai import OpenAI
from pydantic import BaseModel, Field

client = OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
MODEL = "embedded"
SYSTEM = """Your input fields are:
1. `passage` (str): Text to read.
2. `question` (str): 
Your output fields are:
1. `answer` (str): A short answer.
All interactions will be structured in the following way, with the appropriate values filled in.

[[ ## passage ## ]]
{passage}

[[ ## question ## ]]
{question}

[[ ## answer ## ]]
{answer}

[[ ## completed ## ]]
In adhering to this structure, your objective is: 
        Answer the question from the passage."""
USER = """[[ ## passage ## ]]
Nora is a baker from Lisbon.

[[ ## question ## ]]
Where is Nora from?

Respond with the corresponding output fields, starting with the field `[[ ## answer ## ]]`, and then ending with the marker for `[[ ## completed ## ]]`."""
MESSAGES = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "maxLength": 20}, "unit": {"enum": ["C", "F"]}},
                "required": ["city", "unit"],
            },
        },
    }
]
ASK = [{"role": "user", "content": "What is the weather in Rome?"}]


def chat():
    whole = client.chat.completions.create(model=MODEL, messages=MESSAGES, max_tokens=60, temperature=0)
    text = whole.choices[0].message.content
    assert "Lisbon" in text, text
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    again = client.chat.completions.create(model=MODEL, messages=MESSAGES, max_tokens=60, temperature=0)
    assert again.usage.prompt_tokens_details.cached_tokens > 0
    pieces = client.chat.completions.create(
        model=MODEL, messages=MESSAGES, max_tokens=60, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    streamed, usage = "", None
    for piece in pieces:
        if piece.choices:
            streamed += piece.choices[0].delta.content or ""
        usage = piece.usage or usage
    assert streamed == text, (streamed, text)
    assert usage.completion_tokens == whole.usage.completion_tokens


def parameters():
    several = client.chat.completions.create(
        model=MODEL, messages=ASK, max_tokens=6, n=3, temperature=1.2, seed=7, top_p=0.9,
        presence_penalty=0.5, frequency_penalty=0.5, logit_bias={"5": -5}, stop=["zzz"], logprobs=True, top_logprobs=2,
    )
    assert len(several.choices) == 3
    first = several.choices[0].logprobs.content[0]
    assert len(first.top_logprobs) == 2 and first.logprob <= 0
    completion = client.completions.create(model=MODEL, prompt=["a", "b"], max_tokens=3, logprobs=1)
    assert len(completion.choices) == 2
    assert [model.id for model in client.models.list()] == [MODEL]


def tools():
    for choice in ["required", {"type": "function", "function": {"name": "get_weather"}}]:
        reply = client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS, tool_choice=choice, max_tokens=150)
        assert reply.choices[0].finish_reason == "tool_calls"
        call = reply.choices[0].message.tool_calls[0]
        arguments = json.loads(call.function.arguments)
        assert call.function.name == "get_weather" and arguments["unit"] in ("C", "F"), arguments
    history = ASK + [reply.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "21"}]
    client.chat.completions.create(model=MODEL, messages=history, tools=TOOLS, max_tokens=20)
    with client.chat.completions.stream(
        model=MODEL, messages=ASK, tools=TOOLS, tool_choice="required", parallel_tool_calls=False, max_tokens=150
    ) as stream:
        for _ in stream:
            pass
        streamed = stream.get_final_completion().choices[0].message.tool_calls
    assert json.loads(streamed[0].function.arguments)["unit"] in ("C", "F")


class Mood(BaseModel):
    mood: str = Field(max_length=12)
    stars: int = Field(ge=1, le=5)
    tags: list[bool] = Field(max_length=2)


def schemas():
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["good", "bad"]}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}},
        "required": ["mood", "stars"],
        "additionalProperties": False,
    }
    for seed in range(4):
        reply = client.chat.completions.create(
            model=MODEL, messages=ASK, max_tokens=60, temperature=1.5, seed=seed,
            response_format={"type": "json_schema", "json_schema": {"name": "mood", "strict": True, "schema": schema}},
        )
        value = json.loads(reply.choices[0].message.content)
        assert value["mood"] in ("good", "bad") and 1 <= value["stars"] <= 5, value
    reply = client.chat.completions.create(
        model=MODEL, messages=ASK, max_tokens=60, response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(reply.choices[0].message.content), dict)
    parsed = client.chat.completions.parse(model=MODEL, messages=ASK, max_tokens=300, response_format=Mood)
    assert isinstance(parsed.choices[0].message.parsed, Mood), parsed


def errors():
    for kind, call in [
        (openai.BadRequestError, lambda: client.chat.completions.create(model=MODEL, messages=[])),
        (openai.BadRequestError, lambda: client.chat.completions.create(model=MODEL, messages=ASK, temperature=3)),
        (openai.NotFoundError, lambda: client.chat.completions.create(model="gpt-5", messages=ASK)),
    ]:
        try:
            call()
        except kind as error:
            assert error.body["message"], error
        else:
            raise AssertionError(f"no {kind.__name__}")


for check in [chat, parameters, tools, schemas, errors]:
    check()
    print(f"openai {openai.__version__}: {check.__name__}: passed")
