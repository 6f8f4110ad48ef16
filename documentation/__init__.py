"""The documentation site: the parts that are generated from the code, and the build.

A generated part of a page is between two comments, which readers do not see:

    <!-- generated: settings -->
    ...
    <!-- end -->

`python3 run.py docs` refuses a page whose generated parts do not match the code; `--write` brings them up to date. What
the code cannot say (what a reason means, and what to do about it) is in `descriptions/`, one file per subject. A file
is refused if it describes something that does not exist, or if something is missing.
"""
