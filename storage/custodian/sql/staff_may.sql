SELECT staff_may($1, $2, $3, $4)
