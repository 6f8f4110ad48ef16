"""The documentation site: what of it is generated from the code, and how it is built.

A page holds a generated part between two comments, which readers do not see:

    <!-- generated: settings -->
    ...
    <!-- end -->

`python3 run.py docs` refuses a page whose parts are not what the code gives today; `--write` brings them up to date.
What the code cannot say (what a reason means, and what to do about it) stands in `descriptions/`, one file a subject,
and is refused where it describes something that does not exist or leaves something out.
"""
