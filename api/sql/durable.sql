-- Whatever the server's default is: this transaction's commit waits for the disk.
SET LOCAL synchronous_commit = on
