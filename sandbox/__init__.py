"""What Azure and the other systems provide, on one machine, for development and tests. It is never deployed.

| folder | what is in it |
|---|---|
| `azure` | the replacements for Azure: broker, Functions host, Azurite |
| `systems` | the stand-ins: Dataverse, the ERPs, credit scoring |
| `running` | starts all of these programs as one sandbox |
| `client`, `watching` | use a running sandbox, and show what happens in it |
| `demo`, `doctor`, `bench`, `mutation` | the work behind the commands of these names |
| `commands` | one module for each command of run.py |
| `machine`, `terminal` | processes, ports, certificates; output of commands |

`repository` stands beside them: all of them, and the tests, find the files of this repository through it.
"""
