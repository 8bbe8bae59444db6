// Check webhooks of Accord. Nothing but .NET is needed: .NET 6 or newer, .NET Framework 4.5 or newer, or Mono.
//
// As a program it reads one message a line, {"headers": {...}, "body": "..."}, and says of each whether to believe it:
// WEBHOOK_SECRETS='whsec_...' dotnet run < messages.jsonl
// With Mono: mcs -r:System.Runtime.Serialization Verify.cs && WEBHOOK_SECRETS='whsec_...' mono Verify.exe < messages.jsonl
// In ASP.NET, read the body's bytes before anything parses them.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Security.Cryptography;
using System.Text;

public static class Webhook
{
    private const long ToleranceSeconds = 300;

    /// <summary>Return why not to believe a message, or "" if it is genuine. The body is the bytes as they came, the
    /// names of headers are compared without case; seen holds message ids, in earnest a table with a unique column.</summary>
    public static string RefusalOf(
        IDictionary<string, string> headers, byte[] body, string[] secrets, DateTimeOffset now, ISet<string> seen)
    {
        var message = Header(headers, "webhook-id");
        var timestamp = Header(headers, "webhook-timestamp");
        long at;
        if (message == "" || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out at))
            return "no id or timestamp";
        if (Math.Abs((now - Epoch).TotalSeconds - at) > ToleranceSeconds)
            return "too old";
        var signed = Encoding.UTF8.GetBytes(message + "." + timestamp + ".").Concat(body).ToArray();
        var given = Header(headers, "webhook-signature").Split(' ');
        if (!secrets.Any(secret => given.Any(each => IsSame(Sign(signed, secret), each))))
            return "wrong signature";
        return seen.Add(message) ? "" : "seen before";
    }

    /// <summary>Check X-Lapin-Signature, for receivers written for RDV Service Public. It says nothing about when.</summary>
    public static bool IsSignedAsRdv(byte[] body, string header, string[] secrets)
    {
        return secrets.Any(secret => IsSame(
            string.Concat(Hmac(Encoding.UTF8.GetBytes(secret), body).Select(each => each.ToString("x2"))), header));
    }

    public static string Header(IDictionary<string, string> headers, string name)
    {
        return headers.FirstOrDefault(each => each.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value ?? "";
    }

    private static readonly DateTimeOffset Epoch = new DateTimeOffset(1970, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static string Sign(byte[] signed, string secret)
    {
        var isBase64 = secret.StartsWith("whsec_", StringComparison.Ordinal);
        var key = isBase64 ? Convert.FromBase64String(secret.Substring(6)) : Encoding.UTF8.GetBytes(secret);
        return "v1," + Convert.ToBase64String(Hmac(key, signed));
    }

    private static byte[] Hmac(byte[] key, byte[] data)
    {
        using (var hmac = new HMACSHA256(key))
            return hmac.ComputeHash(data);
    }

    /// <summary>Compare in a time that says nothing about where two texts differ.</summary>
    private static bool IsSame(string wanted, string given)
    {
        var difference = wanted.Length ^ given.Length;
        for (var at = 0; at < Math.Min(wanted.Length, given.Length); at++)
            difference |= wanted[at] ^ given[at];
        return difference == 0;
    }
}

[DataContract]
public class Message
{
    [DataMember(Name = "headers")]
    public Dictionary<string, string> Headers { get; set; }

    [DataMember(Name = "body")]
    public string Body { get; set; }
}

public static class Program
{
    public static void Main()
    {
        var known = Environment.GetEnvironmentVariable("WEBHOOK_SECRETS").Split(',');
        var seen = new HashSet<string>();
        var settings = new DataContractJsonSerializerSettings { UseSimpleDictionaryFormat = true };
        var json = new DataContractJsonSerializer(typeof(Message), settings);
        var lines = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        string line;
        while ((line = lines.ReadLine()) != null)
        {
            var came = (Message)json.ReadObject(new MemoryStream(Encoding.UTF8.GetBytes(line)));
            var body = Encoding.UTF8.GetBytes(came.Body);
            var why = Webhook.RefusalOf(came.Headers, body, known, DateTimeOffset.UtcNow, seen);
            if (why == "" && !Webhook.IsSignedAsRdv(body, Webhook.Header(came.Headers, "X-Lapin-Signature"), known))
                why = "wrong X-Lapin-Signature";
            Console.WriteLine(why == "" ? "genuine" : "refused: " + why);
        }
    }
}
