"""The same job done with well-known libraries, each program as plain as its documentation shows it.

An intake answers the same POST as the app's: it checks the key, the size and the shape of the context, has the message
confirmed by the broker as persistent, and answers 202. A worker makes the same three calls outside for each message.
They run in an environment of their own (sandbox/bench/requirements.txt) and import nothing of the product.
"""
