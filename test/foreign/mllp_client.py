"""Sends the HL7 v2 messages of standard input (a JSON list) over MLLP with python3-hl7, and prints what it reads in the acknowledgements."""

import json
import sys

import hl7
from hl7.client import MLLPClient

answers = []
with MLLPClient("127.0.0.1", int(sys.argv[1]), encoding="utf-8") as client:
    for text in json.load(sys.stdin):
        ack = hl7.parse(client.send_message(hl7.parse(text.replace("\n", "\r"))).strip(b"\x0b\x1c\r").decode("utf-8"))
        errors = ack.segments("ERR") if any(str(segment[0]) == "ERR" for segment in ack) else []
        answers.append(
            {
                "type": str(ack.segment("MSH")[9]),
                "code": str(ack.segment("MSA")[1]),
                "id": str(ack.segment("MSA")[2]),
                "errors": [[str(error[2]), str(error[3][0][0]), str(error[4])] for error in errors],
            }
        )
print(json.dumps(answers))
