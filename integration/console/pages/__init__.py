"""The pages, a file each: what each shows, and what its forms do."""
