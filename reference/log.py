"""Structured logs: one JSON object a line on standard error. Tokens, keys and payloads are never passed to them."""

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger, Processor

_SHARED: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def configure_logs(level: int = logging.INFO) -> None:
    """Send this service's events and the server's own log records to standard error as JSON."""
    structlog.configure(
        processors=[*_SHARED, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=_SHARED,
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


def get_log(part: str) -> FilteringBoundLogger:
    """Return the log of one part of the service; every event carries its name."""
    log: FilteringBoundLogger = structlog.get_logger(part=part)
    return log
