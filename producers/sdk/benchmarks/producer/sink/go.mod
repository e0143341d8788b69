module orderstream.example/sink

go 1.22
