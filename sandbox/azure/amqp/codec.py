"""AMQP 1.0 type codec (OASIS specification, part 1).

    decode(buffer, position) -> (value, next position)
    skip(buffer, position)   -> next position, without building the value
    encode(value)            -> bytes

`split_list` and `split_map` cut an encoded compound into its still encoded elements, so that values of
the sender's own types (message ids, application properties) can be passed on byte for byte. All of them raise
`ProtocolError`, and nothing else, for bytes that are not AMQP.
"""

from sandbox.azure.amqp.decoding import decode, skip, split_list, split_map
from sandbox.azure.amqp.encoding import FALSE, NULL, TRUE, encode, encode_list, encode_map

__all__ = ["FALSE", "NULL", "TRUE", "decode", "encode", "encode_list", "encode_map", "skip", "split_list", "split_map"]
