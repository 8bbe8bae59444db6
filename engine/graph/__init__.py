"""Microsoft Graph in, our words out, and back: implements `RoomCalendar`.

Lives here: HTTP, credentials, the retry policy, Graph's payloads and its error codes. `build.build_calendar` puts
the parts together. Never here: decisions about bookings, tables, settings, the simulated tenant.
May import: rooms, loans, ids, interval, errors. Only this package imports msgraph, kiota, azure and httpx.
"""
