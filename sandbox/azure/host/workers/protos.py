"""The messages between host and worker, as plain Python.

`azure-functions-runtime` takes the module of its protobuf messages as an argument and uses it for nothing but keyword
construction, attribute access and `WhichOneof`: no protobuf is needed for that. Names are the protocol's own.
"""

from typing import Any, ClassVar


class Message:
    """A message with whatever fields it is constructed with."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        """Fields are dynamic: this keeps mypy content."""
        raise AttributeError(f"{type(self).__name__} has no field {name}")


class TypedData(Message):
    """A value of exactly one kind (`string`, `bytes`, `json`, `http`, ...), or of none."""

    def __init__(self, **field: Any) -> None:
        super().__init__(**field)
        self.kind: str | None = next(iter(field), None)

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 -- protobuf's name
        """The kind of value, as protobuf reports it."""
        return self.kind


class ParameterBinding(Message):
    """A named value."""

    def WhichOneof(self, _: str) -> str:  # noqa: N802 -- protobuf's name
        """Always a value: shared memory is not used."""
        return "data"


class StatusResult(Message):
    """How a request ended."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1
    Cancelled: ClassVar[int] = 2
    exception: Any = None


class BindingInfo(Message):
    """What a binding is; the direction `in` is a keyword in Python and set below."""

    undefined: ClassVar[int] = 0
    string: ClassVar[int] = 1
    binary: ClassVar[int] = 2
    stream: ClassVar[int] = 3
    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2


class SameSite:
    """Values of a cookie's SameSite; `None` is a keyword in Python and set below."""

    Lax: ClassVar[int] = 1
    Strict: ClassVar[int] = 2
    ExplicitNone: ClassVar[int] = 3


class RpcHttpCookie(Message):
    """One cookie of a response."""

    SameSite: ClassVar[type[SameSite]] = SameSite


setattr(BindingInfo, "in", 0)
setattr(SameSite, "None", 0)

FunctionEnvironmentReloadResponse = Message
FunctionLoadResponse = Message
FunctionMetadataResponse = Message
InvocationResponse = Message
NullableBool = Message
NullableDouble = Message
NullableString = Message
NullableTimestamp = Message
RpcException = Message
RpcFunctionMetadata = Message
RpcHttp = Message
RpcRetryOptions = Message
WorkerInitResponse = Message
WorkerMetadata = Message
