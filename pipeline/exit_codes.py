"""What the `tallenne` command's exit codes mean; scripts rely on them."""

OK = 0
FAILED = 1  # it was tried and did not work, or the check found something
MISUSE = 2  # the command, the configuration or the installation must be mended by a person
RETRY = 75  # something it needs is away just now: the same command may work later (EX_TEMPFAIL)
