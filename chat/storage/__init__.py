"""What is kept in the database, and the threads that query it."""
