// Check webhooks of Accord. Nothing but .NET (8 or newer) is needed.
//
// As a program it reads one message a line, {"headers": {...}, "body": "..."}, and says of each whether to believe it:
// WEBHOOK_SECRETS='whsec_...' dotnet run < messages.jsonl
// In ASP.NET Core, read the body's bytes before anything parses them.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

var known = Environment.GetEnvironmentVariable("WEBHOOK_SECRETS")!.Split(',');
var seen = new HashSet<string>(); // of message ids; in earnest a table with a unique column
while (Console.In.ReadLine() is { } line)
{
    using var came = JsonDocument.Parse(line);
    var headers = came.RootElement.GetProperty("headers").EnumerateObject()
        .ToDictionary(each => each.Name, each => each.Value.GetString() ?? "", StringComparer.OrdinalIgnoreCase);
    var body = Encoding.UTF8.GetBytes(came.RootElement.GetProperty("body").GetString() ?? "");
    var why = Webhook.RefusalOf(headers, body, known, DateTimeOffset.UtcNow, seen);
    if (why == "" && !Webhook.IsSignedAsRdv(body, headers.GetValueOrDefault("X-Lapin-Signature", ""), known))
        why = "wrong X-Lapin-Signature";
    Console.WriteLine(why == "" ? "genuine" : $"refused: {why}");
}

public static class Webhook
{
    private const long ToleranceSeconds = 300;

    /// <summary>Return why not to believe a message, or "" if it is genuine. The body is the bytes as they came.</summary>
    public static string RefusalOf(
        IReadOnlyDictionary<string, string> headers, byte[] body, string[] secrets, DateTimeOffset now, ISet<string> seen)
    {
        var message = headers.GetValueOrDefault("webhook-id", "");
        var timestamp = headers.GetValueOrDefault("webhook-timestamp", "");
        if (message == "" || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var at))
            return "no id or timestamp";
        if (Math.Abs(now.ToUnixTimeSeconds() - at) > ToleranceSeconds)
            return "too old";
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{message}.{timestamp}."), .. body];
        var given = headers.GetValueOrDefault("webhook-signature", "").Split(' ');
        if (!secrets.Any(secret => given.Any(each => IsSame(Sign(signed, secret), each))))
            return "wrong signature";
        return seen.Add(message) ? "" : "seen before";
    }

    /// <summary>Check X-Lapin-Signature, for receivers written for RDV Service Public. It says nothing about when.</summary>
    public static bool IsSignedAsRdv(byte[] body, string header, string[] secrets) =>
        secrets.Any(secret => IsSame(
            Convert.ToHexString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body)).ToLowerInvariant(), header));

    private static string Sign(byte[] signed, string secret)
    {
        var key = secret.StartsWith("whsec_") ? Convert.FromBase64String(secret[6..]) : Encoding.UTF8.GetBytes(secret);
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed));
    }

    private static bool IsSame(string wanted, string given) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(wanted), Encoding.UTF8.GetBytes(given));
}
