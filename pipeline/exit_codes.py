"""The exit codes of the `tallenne` command. Scripts rely on them."""

OK = 0
FAILED = 1  # the operation failed, or the check found something
MISUSE = 2  # the operator must correct the command, the configuration or the installation
RETRY = 75  # a needed service is away at present: the same command may work later (EX_TEMPFAIL)
