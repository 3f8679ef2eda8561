//go:build !unix

package parts

func startPostgres(string) (postgresServer, error) {
	return postgresServer{}, missingError("PostgreSQL of one's own is started on Unix only; name one in " + PostgresURL)
}
