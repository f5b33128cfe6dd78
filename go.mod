module libsslcache

go 1.26.8
