"""Published operations: another implementation accepts what our plans build, and reads the same values.

openapi-core is given the operation's slice. Where it is wrong, or the document is, the case stands in `WRONG`
with the section of the specification (3.1.1) that says so. What openapi-core only has to be told (unknown
formats, media types of JSON) or adds by itself (defaults) is set aside before: see `prepared`.
"""

from __future__ import annotations

import json
import re
import warnings
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema_path import SchemaPath
from openapi_core import V30RequestUnmarshaller, V31RequestUnmarshaller
from openapi_core.testing import MockRequest

from agentc.openapi import CompiledOperation
from agentc.openapi.compile import compile_entry
from agentc.openapi.document import Document, entries, load_document
from agentc.openapi.slices import openapi_slices
from agentc.schematypes import items_of, types_of
from agentc.source import SourceFile
from agentc_runtime.bundle import Label, Param, Tool
from agentc_runtime.environments import Endpoint, Environment
from agentc_runtime.media import content_of
from agentc_runtime.refusals import RefusedError
from agentc_runtime.request import build_request
from agentc_runtime.secrets import Secrets
from agentc_runtime.violations import compile_shape
from agentc_runtime.wire import HttpRequest

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT.parent / "shared" / "corpus"
INDEX = CORPUS / "index.json"
HOST = "https://api.example.com"
#: Formats that openapi-core checks; every other one is an annotation (section 4.4.2).
CHECKED = frozenset({"date", "date-time", "uuid", "email"})
SAMPLE = 40

#: What openapi-core says where it, or the document, is wrong: and what is right, with its section.
WRONG = {
    r"not a boolean format": "an empty value where `allowEmptyValue` says so, 4.8.12.2.1",
    r"read-only property": "`readOnly` is about properties, not about parameters, 4.8.24.4",
    r"reference '.*' could not be resolved|discriminating property": (
        "the value of a discriminator may be a name, and the hint changes no outcome, 4.8.25.3"
    ),
    r"required header parameter: Content-Type": "a header `Content-Type` is no parameter, 4.8.12.2",
    r"required path parameter": "the document: a path parameter without its place in the path, 4.8.12.2",
    r"Expected a string value, got <class 'list'>": "a `type` may be a list, 4.8.24.1",
    r"unprintable MediaTypeDeserializeError": "JSON in a header is read as JSON, 4.8.12.2.2",
    r"dictionary update sequence": "an object in a form is JSON, 4.8.15.1.1",
    r"'\d+' is not of type 'integer'": "a number in a multipart body is text, 4.8.15.1.1",
    r"b'.*' is not of type 'string'": "text is a string, 4.8.14.3",
    r"required request body": "the document: a parameter's content is no body, 4.8.12.2.2",
    r"not available|not an (?:object|array) format": "values nested in `deepObject`, 4.8.12.4; decision 19",
}
#: The same where the words tell nothing: by operation.
WRONG_OPERATIONS = {
    "locateBurger": "the document: `schema` and `content` at once, 4.8.12.2",
    "uploadArtifact": "a body without a schema has a value all the same, 4.8.14.1",
}
#: A discriminator inside of alternatives hides why none of them fits.
ALTERNATIVES = "is not valid under any of the given schemas"
EXPLODED = "an exploded object of free names, 4.8.12.4: each is a parameter of its own"
#: Headers that are no arguments, and that openapi-core reads all the same.
IGNORED = {
    ("header", name) for name in ("Accept", "Content-Type", "Content-Length", "Host", "Accept-Encoding")
}


def support() -> Any:
    spec = spec_from_file_location("drawn", ROOT / "tests" / "support" / "drawn.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Drawer = support().Drawer


class Case(NamedTuple):
    """One operation of one document, and the slice of it for openapi-core."""

    document: str
    operation: CompiledOperation
    slice: dict[str, Any]


def cases(name: str) -> Iterator[Case]:
    """The operations of a document of the corpus that compile."""
    file = SourceFile(name, (CORPUS / name).read_bytes())
    document = load_document(name, file.data)
    assert isinstance(document, Document)
    found, _ = entries(document)
    compiled = [one for entry in found if (one := compile_entry(document, entry)[0]) is not None]
    for operation, slice_ in zip(compiled, openapi_slices(file, (), compiled, HOST), strict=True):
        yield Case(name, operation, slice_)


def prepared(root: dict[str, Any], operation: CompiledOperation) -> tuple[dict[str, Any], set[str], set[str]]:
    """The slice without security and defaults, the formats in it, and its media types of JSON."""
    formats, medias = set(CHECKED), set[str]()

    def plain(node: Any, *, names: bool) -> Any:
        if isinstance(node, list):
            return [plain(one, names=False) for one in node]
        if not isinstance(node, dict):
            return node
        if not names:
            formats.update([node["format"]] if isinstance(node.get("format"), str) else [])
            content = node.get("content")
            medias.update(
                kind.partition(";")[0].strip().lower()
                for kind in (content if isinstance(content, dict) else ())
                if kind.startswith("*/*") or content_of(kind) == "json"
            )
        schema = not names and not node.keys() & {"responses", "200", "201", "204"}
        return {
            key: plain(value, names=not names and key in {"properties", "patternProperties", "variables"})
            for key, value in node.items()
            if names or not (schema and key == "default")
        }

    item = root["paths"][operation.path]
    method = operation.method.lower()
    kept = {key: value for key, value in item[method].items() if key not in {"security", "responses"}}
    responses = {"200": {"description": ""}}
    found = {key: value for key, value in root.items() if key != "security"}
    found["paths"] = {operation.path: {**item, method: {**kept, "responses": responses}}}
    return plain(found, names=False), formats, medias


def built(operation: CompiledOperation, arguments: dict[str, Any]) -> HttpRequest:
    tool = Tool(
        name="t.t",
        model_name="t",
        description="",
        effect="update",
        arguments=operation.arguments,
        output=Label(),
        request=operation.plan(Endpoint(url=HOST), ()),
    )
    return build_request(tool, arguments, Environment(), Secrets(Environment(), {}))


def meant(operation: CompiledOperation, arguments: dict[str, Any]) -> tuple[dict[Any, Any], Any]:
    """The parameters by place and name, and the body, that a reader has to see."""
    path = [part.param for segment in operation.segments for part in segment if part.param is not None]
    places: list[tuple[str, list[Param] | tuple[Param, ...]]] = [
        ("path", path),
        ("query", operation.query),
        ("header", operation.headers),
        ("cookie", operation.cookies),
    ]
    parameters = {
        (place, one.name): arguments[one.argument]
        for place, several in places
        for one in several
        if one.argument in arguments
    }
    body = operation.body
    if body is None:
        return parameters, None
    if body.argument is not None:
        value = arguments.get(body.argument)
        return parameters, b64decode(value) if body.kind == "binary" and value is not None else value
    fields = body.fields or {}
    return parameters, {wire: arguments[name] for wire, name in fields.items() if name in arguments}


def read(case: Case, request: HttpRequest) -> Any:
    """What openapi-core reads; it raises when the request breaks the document."""
    root, formats, medias = prepared(case.slice, case.operation)
    kind = V30RequestUnmarshaller if str(root["openapi"]).startswith("3.0") else V31RequestUnmarshaller
    reader = kind(
        SchemaPath.from_dict(root),
        extra_format_unmarshallers={name: lambda value: value for name in formats},
        extra_format_validators={name: lambda _: True for name in formats - CHECKED},
        extra_media_type_deserializers={name: lambda value, **_: json.loads(value) for name in medias},
    )
    url = urlsplit(request.url)
    cookies = dict(piece.split("=", 1) for piece in request.headers.get("cookie", "").split("; ") if piece)
    body = request.body or b""
    # what every client adds, and paths decoded: openapi-core does not do that itself (`WRONG` of the styles)
    client = {"content-length": str(len(body)), "host": "a", "accept-encoding": "gzip", "connection": "close"}
    encoded = any(one in url.path.upper() for one in ("%2F", "%3F", "%23"))
    result = reader.unmarshal(
        MockRequest(
            host_url=HOST,
            method=request.method.lower(),
            path=url.path if encoded else unquote(url.path),
            args=parse_qsl(url.query, keep_blank_values=True),
            headers={**request.headers, **client},
            cookies={name: unquote(value) for name, value in cookies.items()},
            data=body,
            content_type=request.headers.get("content-type", "application/json"),
        )
    )
    result.raise_for_errors()
    return result


def same(one: Any, other: Any) -> bool:
    """Equal as JSON, but for a list of one: exploded, it is written as its item alone."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one in (other, [other])


def untyped(case: Case, key: tuple[str, str]) -> bool:
    """Whether a parameter may have several types: what it was can't be read out of its text."""
    operation = case.operation
    names = {one.name: one.argument for one in (*operation.query, *operation.headers, *operation.cookies)}
    names |= {
        part.param.name: part.param.argument
        for segment in operation.segments
        for part in segment
        if part.param is not None
    }
    schema = operation.arguments["properties"].get(names.get(key[1], ""), {})
    root = {**operation.arguments, **schema}
    return any(len(types_of(one, root) - {"integer"}) > 1 for one in (schema, items_of(root)))


def said(error: BaseException) -> str:
    """The last cause of an error of openapi-core, in words."""
    while error.__cause__ is not None:
        error = error.__cause__
    if schema_errors := list(getattr(error, "schema_errors", None) or ()):
        error = schema_errors[0]
    try:
        return str(error)
    except Exception:  # its own messages may break
        return f"unprintable {type(error).__name__}"


def outcome(case: Case, random: Random) -> str:
    """`same`, or why there is nothing to compare; asserts that both read the same otherwise."""
    operation = case.operation
    accepts = compile_shape(operation.arguments).is_valid
    for _ in range(8):
        arguments = Drawer(operation.arguments, random).value(operation.arguments)
        if not accepts(arguments):
            continue
        try:
            request = built(operation, arguments)
        except RefusedError:
            continue  # what has no text, such as an empty list
        break
    else:
        return "nothing drawn"
    where = (case.document, operation.operation_id, arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = read(case, request)
    except Exception as error:
        words = said(error)
        known = next((section for pattern, section in WRONG.items() if re.search(pattern, words)), None)
        known = known or WRONG_OPERATIONS.get(operation.operation_id)
        if ALTERNATIVES in words and '"discriminator"' in json.dumps(case.slice):
            known = "a discriminator changes no outcome, 4.8.25.3"
        assert known is not None, (words, *where)
        return known
    parameters, body = meant(operation, arguments)
    seen = {
        (place, name): value
        for place in ("path", "query", "header", "cookie")
        for name, value in getattr(result.parameters, place).items()
    }
    for key in {*parameters, *seen} - IGNORED:
        if isinstance(parameters.get(key), dict) and key not in seen and key[0] == "query":
            return EXPLODED
        sent, got = parameters.get(key), seen.get(key)
        assert same(sent, got) or (untyped(case, key) and key in seen), (key, sent, got, *where)
    if operation.operation_id in WRONG_OPERATIONS:
        return WRONG_OPERATIONS[operation.operation_id]
    assert same(body, result.body) or (body == {} and result.body is None), (body, result.body, *where)
    return "same"


needs_corpus = pytest.mark.skipif(not INDEX.is_file(), reason="the corpus of documents is not there")


@cache
def sample() -> list[Case]:
    """Operations of small documents, of which there are many kinds."""
    found: list[Case] = []
    for row in json.loads(INDEX.read_bytes()) if INDEX.is_file() else ():
        if row["bytes"] < 150_000 and "defects" not in row["file"]:
            found += list(cases(row["file"]))[:4]
    return found


@needs_corpus
@given(random=st.randoms(use_true_random=False), chosen=st.data())
@settings(max_examples=SAMPLE * 5, suppress_health_check=list(HealthCheck), deadline=None)
def test_operations_of_published_documents_are_read_back(random: Random, chosen: Any) -> None:
    outcome(chosen.draw(st.sampled_from(sample())), random)


def whole() -> list[str]:
    rows = json.loads(INDEX.read_bytes()) if INDEX.is_file() else []
    return [row["file"] for row in rows if "/specification/" not in row["file"]]


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("name", whole())
def test_every_operation_of_the_corpus_is_read_back(name: str) -> None:
    counts: Counter[str] = Counter()
    for case in cases(name):
        once(case, counts)()
    print(name, dict(counts))


def once(case: Case, counts: Counter[str]) -> Any:
    """A test of one operation with one set of arguments."""

    @given(random=st.randoms(use_true_random=False))
    @settings(
        max_examples=1,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(random: Random) -> None:
        counts[outcome(case, random)] += 1

    return check
