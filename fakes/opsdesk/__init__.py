"""The ops desk: where alerts, messages and tickets go, in the shapes of PagerDuty, Slack and Zendesk."""
