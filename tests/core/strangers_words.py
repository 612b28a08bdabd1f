"""
Names as people write them who have not read the linter, by what they should be judged: meant that way, and innocent.

They are kept apart from the linter's own words on purpose. By the first lists its words were extended; the later ones were
written after that and are left as they were found, so that they tell what it makes of words it has not seen. A name that is
judged wrongly stays in its list: what is measured is how many are.
"""

TELLING = """
notify the warehouse lead|send-mail-to-finance|slack-the-team|ping-someone|drop-a-note-in-slack|open-jira-ticket
raise-pagerduty-incident|page-oncall|text-the-store-manager|alert-on-duty|write-log-entry|log-and-move-on|log-it|just-log
email-customer-service|shoot-an-email|escalate-to-manager|escalate|tell-finance|let-ops-know|flag-for-attention|flag-it|report-it
report-to-it|leave-a-comment|add-to-spreadsheet|call-the-warehouse|call-someone|phone-the-carrier|make-a-note|post-in-channel
post-message|webhook-to-slack|teams-message|msteams|send-push-notification|push-notification|inform-buyer|heads-up|warn-user
show-banner|display-warning|error-email|error-report|daily-digest|digest-email|summary-mail|notify_ops_team|NotifyOps
sendEmailToOps|whatsapp-the-driver|cc-the-boss|forward-to-inbox|shared-inbox|support-mailbox|zendesk-ticket|create-incident|sentry
datadog-event|swallow|do-nothing|ignore-it|skip-silently|console.log|stderr|print-error|contact-customer|ask-in-chat
remind-someone|send-email|post-to-slack|create-ticket|raise-alert|alerting|notifications|emails|write-to-log|teams-channel
"""
TELLING_INNOCENT = """
treat-as-done|secondary-location|backorder|split-shipment|hold-order|cancel-and-refund|refund|partial-refund|substitute-item
alternate-carrier|mail-carrier|postal-service|letter-mail|registered-mail|message-broker|message-queue|event-log-replay
log-in-again|relogin|changelog-import|catalog-lookup|page-through|next-page|landing-page|paged-import|ping-pong-carrier
slack-capacity-warehouse|buffer-stock|plain-text-invoice|report-as-shipped|report-stock-zero|credit-note|delivery-note
packing-slip|ticket-office-pickup|event-ticket-fulfilment|gift-card-email-delivery|email-voucher|e-voucher-by-email
email-invoice-and-continue|channel-allocation|sales-channel|channel-advisor|team-store|chat-commerce-order|room-booking
print-label|print-at-store|open-next-day-slot|post-to-ledger|post-invoice|post-office-pickup|file-claim|write-off
create-credit-memo|create-customer-first|add-to-next-batch|put-on-hold|push-to-next-window|raise-purchase-order
use-support-warehouse|manager-override|operator-entry|mark-fraud|return-to-sender|retry-later|requeue|notify-and-refund
tell-and-cancel|customer-pickup|vendor-ships|warehouse-b|send-from-store|add-inventory|create-order-anew|use-old-price|floor-stock
"""
SEEN = """
ack|seen|noted|close|close-case|close the ticket|mark-as-read|dismiss|notify-customer|email-the-customer|log|archive|resolve
done|nothing|snooze|remind-me|got-it|thumbs-up|take-note|move-on|escalate|forward-to-lead|assign-to-me|reviewed|looked-at|ok|fyi
close-alert|mark-resolved|tell-customer|acknowledge|read
"""
SEEN_INNOCENT = """
continue|cancel-and-refund|ship-anyway|release|hold|release-hold|substitute|split|refund|backorder|reroute|pickup-point
correct-address|retry|approve-and-capture|write-off|return-to-sender|close-order|close-account|resolve-address|mark-fraud|reprice
accept-loss|continue-with-duty|cancel|void|replace-item|credit-customer|capture-now|ship-without|ask-again-later|treat-as-done
reopen-order|review-address-and-ship|open-credit-line
"""
NO_ERROR = """
no_error|no-errors|error-free|no_longer_failing|not_failing|failure_cleared|healthy|ok|all_good|all_clear|problem_gone
issue_resolved|alert_closed|recovered|retried|exception_handled|without_errors|zero_failures|error_went_away|green|fine|stable
back_to_normal|normal|working|success|processed|handled|done|passed|clean|unblocked|not_stuck|stopped_failing|no_alerts|quiet
gone|noError|errors cleared|nothing-wrong
"""
NO_ERROR_INNOCENT = """
cleared|resolved|delivered|shipped|in_transit|label_created|printed|manifested|collected|out_for_delivery|returned|refunded|active
subscribed|opted_in|qualified|customer|lead|open|closed|on_hold|off_hold|free_shipping|no_show|not_required|zero_rated|paid|unpaid
partially_paid|failed|error|exception|delivery_failed|issue_reported|settled|succeeded|available|in_stock|out_of_stock|accepted
archived|cancelled|customs_cleared|no_signature|not_found|Pending Fulfillment|Closed Won|closed-lost|released|exists_once|in_sync
"""
REFUSED = """
RESTRICTED_PRODUCT|CREDIT_LIMIT_EXCEEDED|PRODUCT_NOT_ALLOWED|EMBARGOED_COUNTRY|AGE_VERIFICATION_REQUIRED|CUSTOMER_ON_HOLD
BLOCKED_CUSTOMER|INVALID_VAT_NUMBER|ITEM_DISCONTINUED|MIN_ORDER_VALUE|MAX_QTY_EXCEEDED|TAX_CODE_MISMATCH|DUPLICATE_ENTRY
ALREADY_EXISTS|UNKNOWN_SKU|MISSING_FIELD|CURRENCY_NOT_SUPPORTED|NEGATIVE_MARGIN|ADDRESS_UNDELIVERABLE|HAZMAT_NOT_PERMITTED
sanctions_hit|policy_violation|fraud_suspected|card_declined|PERIOD_CLOSED|FORBIDDEN_SHIP_TO|SHIP_TO_BLOCKED|approval_required
price_below_minimum|validation_error|restrictedItem
"""
REFUSED_INNOCENT = """
RCRD_HAS_BEEN_CHANGED|LOCK_TIMEOUT|RECORD_LOCKED|TEMPORARILY_UNAVAILABLE|SERVICE_BUSY|TRY_AGAIN_LATER|rate_limit|THROTTLED
CONCURRENCY_LIMIT_EXCEEDED|MAINTENANCE|SSS_REQUEST_LIMIT_EXCEEDED|GATEWAY_TIMEOUT|INTERNAL_ERROR|api_error|UNEXPECTED_ERROR
processing_error|idempotency_key_in_use|INVALID_SESSION|TOKEN_EXPIRED|DEADLOCK|CONNECTION_RESET|UPSTREAM_UNAVAILABLE|QUEUE_FULL
NOT_READY|PENDING_SYNC|ITEM_NOT_YET_SYNCED|CUSTOMER_NOT_FOUND|BACKEND_ERROR|insufficient_funds|STOCK_NOT_AVAILABLE|LOCKED|CONFLICT
VERSION_MISMATCH|REQUEST_BLOCKED_BY_RATE_LIMIT|INVALID_RESPONSE_FROM_UPSTREAM|OUT_OF_STOCK|LOCATION_CLOSED|DUPLICATE_REQUEST_IN_PROGRESS
"""

LATER_TELLING = """
ping-the-floor-manager|mail-to-accounts-payable|drop-ticket-in-jira|post-it-in-slack|sms-the-courier|beep-oncall
tell-someone-in-logistics|log-warning|audit-log|trace-only|publish-to-teams|open-zendesk-case|raise-incident|wake-somebody-up
inform-the-customer|notify-merchant|mention-in-standup|put-it-on-the-board|print-to-console|email-alert|alert-email
manual-intervention|human-in-the-loop|eyeball-it|slack|page-duty-manager|send-warning|chat-with-support|write-email|status-page
"""
LATER_TELLING_INNOCENT = """
express-lane|resubmit-as-guest|dropship|drop-off-point|send-replacement|ship-from-store|open-box-sale|log-linear-pricing
mail-in-rebate|black-box-warehouse|page-size-halved|text-only-label|note-payable|report-to-customs|customs-declaration
notice-period|teams-store-pickup|chatham-depot|phone-case-substitute|messenger-delivery|bike-messenger|call-off-order
flagship-store|contactless-pickup|memo-line-fix|alert-free-lane|create-supplier-order|raise-limit-once|write-down-stock|print-run
"""
LATER_SEEN = """
okay|will-do|noted-thanks|read-receipt|close-it|closed-no-action|no-action|acknowledge-alert|ping-ops|hide|mute|skip|drop-case
mark-done|nothing-to-do|later|keep-an-eye-on-it|tell-the-buyer|send-mail
"""
LATER_SEEN_INNOCENT = """
pay-out|ship|ship-partial|hold-until-friday|swap-variant|merge-orders|convert-to-quote|take-payment|take-back|assign-warehouse
assign-carrier|close-and-refund|resolve-and-ship|archive-and-cancel|mark-as-gift|look-up-address-and-ship|release-to-wms|write-off
"""
LATER_NO_ERROR = """
no_exceptions_left|faultless|problem_solved|not_broken|unfailing|okay_again|self_healed|all_errors_fixed|incident_over|no_more_alerts
never_fails|running|online|up_again|calm|issue-free|no_complaints|failure_gone|error_count_zero|smooth
"""
LATER_NO_ERROR_INNOCENT = """
in_production|running_low|goods_received|fixed_price|cleared_for_export|gone_to_customer|none_left|empty|quiet_hours_hold|up_for_sale
green_label|clean_report_of_findings|without_signature|no_show_returned|issue_credit|fault_claimed|stable_stock|zero_stock|off_sale
well_packed
"""
LATER_REFUSED = """
SKU_DELISTED|CUSTOMER_BLACKLISTED|EXPORT_CONTROL|DANGEROUS_GOODS_FORBIDDEN|invalid_postcode|OVER_CREDIT|tax_id_invalid|LIMIT_OF_LIABILITY
quantity_not_allowed|item_restricted|MISSING_EORI|unsupported_country|ORDER_BLOCKED|accounting_period_closed|price_mismatch
SUBSIDIARY_MISMATCH|compliance_hold|address_validation_failed
"""
LATER_REFUSED_INNOCENT = """
SYSTEM_BUSY|please_retry|MAINTENANCE_WINDOW|row_locked|ETIMEDOUT|ECONNRESET|RESOURCE_EXHAUSTED|slow_down|quota_exceeded
daily_limit_exceeded|UPSTREAM_INVALID_RESPONSE|stale_version|OPTIMISTIC_LOCK|node_suspended_for_update|eventual_consistency_pending
INVALID_GRANT_SESSION|auth_token_missing|shard_unavailable|too_many_connections|maximum_connections_reached
"""


def list_names(text: str) -> list[str]:
    """List the names of one of these texts."""
    return [name.strip() for name in text.replace("\n", "|").split("|") if name.strip()]
