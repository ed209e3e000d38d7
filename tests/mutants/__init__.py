"""`./test --mutants`: small faults in pure security, identity, format and time modules, which unit tests must find."""
