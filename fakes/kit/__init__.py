"""
The kit every fake is built on.

A vendor is a package with the same files: ``catalogue`` (operations, error codes), ``errors`` (its error bodies), ``model``
(frozen records and their collections), ``routes`` (one handler an operation), ``webhooks`` if it sends any, ``seed`` (acts and
seeds), ``build`` (puts them together as a ``fake.Fake``) and ``__main__``.

One call passes through these layers, outermost first:

1. ``exchange.ExchangeRecorder`` reads the body once, classifies the call by the catalogue, finds the order, journals it at the end;
2. ``injection.FaultInjector`` asks ``board.FaultBoard`` whether an armed fault acts on it;
3. ``answers.Dispatcher`` runs the vendor's guard and the operation's handler, a function from ``Exchange`` to ``Answer``.

Handlers write through ``records.Collection`` and pass their exchange along: that journals the change, links the record to its
order, and leaves it out when the call is a dry run (faults ``not_persisted`` and ``malformed``). What else a handler keeps must
ask ``exchange.dry_run``. ``plane.build_fake_control`` is the control plane, ``options`` the command line of every
fake and ``serve`` its process.
"""
