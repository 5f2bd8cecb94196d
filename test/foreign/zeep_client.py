"""Deposit, query and retrieve with zeep, which knows of the server what its WSDL says: zeep_client.py FOLDER ADDRESS

FOLDER holds the submission and its document, the patient's CX and one assertion for each request; the result goes to standard output as JSON.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from lxml import etree
from zeep import Client

RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
XDS = "{urn:ihe:iti:xds-b:2007}"
SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"

folder, address = Path(sys.argv[1]), sys.argv[2]


def given(name):
    return (folder / name).read_bytes()


def security(request):
    block = etree.Element(WSSE + "Security", {SOAP + "mustUnderstand": "true"})
    block.append(etree.fromstring(given(f"assertion-{request}.xml")))
    return [block]


registry = Client(f"{address}/xds/registry?wsdl")
repository = Client(f"{address}/xds/repository?wsdl")

# Deposit: what the schema says of a request reads the sample, and writes it again.
request = repository.get_element(XDS + "ProvideAndRegisterDocumentSetRequest")
submission = request.parse(etree.fromstring(given("submission.xml")), repository.wsdl.types)
document = submission["Document"][0]
document["_value_1"] = given("document")
deposited = repository.service["DocumentRepository_ProvideAndRegisterDocumentSet-b"](
    SubmitObjectsRequest=submission["SubmitObjectsRequest"],
    Document=[document],
    _soapheaders=security("deposit"),
)

# Query.
slot = registry.get_type(RIM + "SlotType1")
values = registry.get_type(RIM + "ValueListType")
parameters = {
    "$XDSDocumentEntryPatientId": f"'{given('patient').decode()}'",
    "$XDSDocumentEntryStatus": "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",
}
query = registry.get_type(RIM + "AdhocQueryType")(
    id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d",
    Slot=[slot(name=name, ValueList=values(Value=[value])) for name, value in parameters.items()],
)
found = registry.service.DocumentRegistry_RegistryStoredQuery(
    ResponseOption={"returnType": "LeafClass", "returnComposedObjects": True},
    AdhocQuery=query,
    _soapheaders=security("query"),
)
entries = [item["ExtrinsicObject"] for item in found["RegistryObjectList"]["_value_1"] if "ExtrinsicObject" in item]


def slot_of(entry, name):
    return [s["ValueList"]["Value"][0] for s in entry["Slot"] if s["name"] == name][0]


def unique_id_of(entry):
    uuid = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
    return [i["value"] for i in entry["ExternalIdentifier"] if i["identificationScheme"] == uuid][0]


unique_id = given("unique-id").decode()
entry = [entry for entry in entries if unique_id_of(entry) == unique_id][0]

# Retrieve.
retrieved = repository.service.DocumentRepository_RetrieveDocumentSet(
    DocumentRequest=[{"RepositoryUniqueId": slot_of(entry, "repositoryUniqueId"), "DocumentUniqueId": unique_id}],
    _soapheaders=security("retrieve"),
)
response = retrieved["DocumentResponse"][0]
content = response["Document"]
if isinstance(content, str):
    content = base64.b64decode(content)

json.dump(
    {
        "deposited": deposited["status"],
        "found": found["status"],
        "title": entry["Name"]["LocalizedString"][0]["value"],
        "retrieved": retrieved["RegistryResponse"]["status"],
        "mimeType": response["mimeType"],
        "sha1": hashlib.sha1(content).hexdigest(),
    },
    sys.stdout,
)
