"""The statements that Python sends, one a file, in folders named as packages; `database.statements` reads them."""
