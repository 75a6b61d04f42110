"""What the client decides: values and times in, values out. The modules beside this package do the talking."""
