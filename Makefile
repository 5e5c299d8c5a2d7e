.PHONY: run test
run test:
	python3 manage.py $@
