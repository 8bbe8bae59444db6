<?php
// Check webhooks of Accord. Nothing but PHP (8.0 or newer) is needed.
//
// As a program it reads one message a line, {"headers": {...}, "body": "..."}, and says of each whether to believe it:
// WEBHOOK_SECRETS='whsec_...' php verify.php < messages.jsonl
// In a page, take file_get_contents("php://input") for the body and getallheaders() for the headers.
declare(strict_types=1);

const TOLERANCE_SECONDS = 300;

// Return why not to believe a message, or "" if it is genuine. $body is the bytes as they came. $seen holds message ids:
// in earnest it is a table with a unique column, written with what the message brings about.
function refusal_of(array $headers, string $body, array $secrets, int $now, array &$seen): string
{
    $named = array_change_key_case($headers, CASE_LOWER);
    $message = $named['webhook-id'] ?? '';
    $timestamp = $named['webhook-timestamp'] ?? '';
    if ($message === '' || !ctype_digit($timestamp)) {
        return 'no id or timestamp';
    }
    if (abs($now - (int) $timestamp) > TOLERANCE_SECONDS) {
        return 'too old';
    }
    $given = explode(' ', $named['webhook-signature'] ?? '');
    $is_genuine = false;
    foreach ($secrets as $secret) {
        $wanted = sign("$message.$timestamp.$body", $secret);
        foreach ($given as $each) {
            $is_genuine = hash_equals($wanted, $each) || $is_genuine;
        }
    }
    if (!$is_genuine) {
        return 'wrong signature';
    }
    if (isset($seen[$message])) {
        return 'seen before';
    }
    $seen[$message] = true;
    return '';
}

function sign(string $signed, string $secret): string
{
    $key = str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, 6)) : $secret;
    return 'v1,' . base64_encode(hash_hmac('sha256', $signed, $key, true));
}

// Check X-Lapin-Signature, for receivers written for RDV Service Public. It says nothing about when.
function is_signed_as_rdv(string $body, string $header, array $secrets): bool
{
    foreach ($secrets as $secret) {
        if (hash_equals(hash_hmac('sha256', $body, $secret), $header)) {
            return true;
        }
    }
    return false;
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    $known = explode(',', (string) getenv('WEBHOOK_SECRETS'));
    $seen = [];
    while (($line = fgets(STDIN)) !== false) {
        $came = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
        $why = refusal_of($came['headers'], $came['body'], $known, time(), $seen);
        $lapin = array_change_key_case($came['headers'], CASE_LOWER)['x-lapin-signature'] ?? '';
        if ($why === '' && !is_signed_as_rdv($came['body'], $lapin, $known)) {
            $why = 'wrong X-Lapin-Signature';
        }
        echo $why === '' ? 'genuine' : "refused: $why", "\n";
    }
}
