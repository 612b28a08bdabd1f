#!/bin/sh
# Start WireMock with the options given, unless a program is named instead.
set -eu
case ${1:--} in
    -*) exec java ${JAVA_OPTS:-} -cp '/var/wiremock/lib/*:/var/wiremock/extensions/*' wiremock.Run "$@" ${WIREMOCK_OPTIONS:-} ;;
    *) exec "$@" ;;
esac
