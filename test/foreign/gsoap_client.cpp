// Deposit by MTOM, query and retrieve with the code that gsoap generates from the WSDL: gsoap_client FOLDER ADDRESS
//
// FOLDER holds the submission and its document, the patient's CX and one assertion for each request; what was retrieved goes to
// FOLDER/retrieved, the rest to standard output as lines of a name and a value.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "DocumentRegistry_USCOREBinding_USCORESoap12.nsmap"
#include "soapH.h"

static struct soap *soap;
static std::string folder, address;

static std::string given(const std::string &name) {
  std::ifstream file(folder + "/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + name);
  return text.str();
}

static char *copy(const std::string &text) { return soap_strdup(soap, text.c_str()); }

static void check(int result) {
  if (result == SOAP_OK) return;
  soap_stream_fault(soap, std::cerr);
  std::exit(1);
}

static void address_request(const char *request, const char *action, const std::string &to) {
  soap_header(soap);
  soap->header->wsa5__Action = copy(action);
  soap->header->wsa5__To = copy(to);
  soap->header->wsa5__MessageID = copy(std::string("urn:example:gsoap:") + request + ":" + given("unique-id"));
  soap->header->wsa5__ReplyTo = soap_new_wsa5__EndpointReferenceType(soap);
  soap_default_wsa5__EndpointReferenceType(soap, soap->header->wsa5__ReplyTo);
  soap->header->wsa5__ReplyTo->Address = copy("http://www.w3.org/2005/08/addressing/anonymous");
  soap->header->wsse__Security = soap_new__wsse__Security(soap);
  soap->header->wsse__Security->__any = copy(given(std::string("assertion-") + request + ".xml"));
}

static void deposit() {
  std::istringstream sample(given("submission.xml"));
  xds__ProvideAndRegisterDocumentSetRequestType request;
  request.soap_default(soap);
  soap->is = &sample;
  check(soap_read_xds__ProvideAndRegisterDocumentSetRequestType(soap, &request));
  soap->is = NULL;

  std::string bytes = given("document");
  xsd__base64Binary &content = request.Document.at(0)->__item;
  content.__ptr = reinterpret_cast<unsigned char *>(const_cast<char *>(bytes.data()));
  content.__size = static_cast<int>(bytes.size());
  content.type = copy("text/xml");

  const std::string to = address + "/xds/repository";
  address_request("deposit", "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b", to);
  soap_set_mode(soap, SOAP_ENC_MTOM);
  rs__RegistryResponseType response;
  check(soap_call___xds__DocumentRepository_USCOREProvideAndRegisterDocumentSet_b(
      soap, to.c_str(), "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b", &request, response));
  soap_clr_mode(soap, SOAP_ENC_MTOM);
  std::cout << "deposited " << response.status << "\n";
}

static void add_parameter(rim__AdhocQueryType &query, const std::string &name, const std::string &value) {
  rim__SlotType1 *slot = soap_new_rim__SlotType1(soap);
  slot->name = name;
  slot->ValueList = soap_new_rim__ValueListType(soap);
  slot->ValueList->Value.push_back(value);
  query.Slot.push_back(slot);
}

/** Answers the repository that holds the document. */
static std::string find() {
  rim__AdhocQueryType query;
  query.soap_default(soap);
  query.id = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d";
  add_parameter(query, "$XDSDocumentEntryPatientId", "'" + given("patient") + "'");
  add_parameter(query, "$XDSDocumentEntryStatus", "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')");
  query__ResponseOptionType option;
  option.soap_default(soap);
  enum query__ReturnType leaves = query__ReturnType__LeafClass;
  bool composed = true;
  option.returnType = &leaves;
  option.returnComposedObjects = &composed;
  _query__AdhocQueryRequest request;
  request.soap_default(soap);
  request.ResponseOption = &option;
  request.rim__AdhocQuery = &query;

  const std::string to = address + "/xds/registry";
  address_request("query", "urn:ihe:iti:2007:RegistryStoredQuery", to);
  _query__AdhocQueryResponse response;
  check(soap_call___xds__DocumentRegistry_USCORERegistryStoredQuery(soap, to.c_str(), "urn:ihe:iti:2007:RegistryStoredQuery",
                                                                    &request, response));
  std::cout << "found " << response.status << "\n";

  const std::string uniqueId = given("unique-id");
  for (const auto &item : response.rim__RegistryObjectList->__union_RegistryObjectListType) {
    if (item.__union_RegistryObjectListType != SOAP_UNION__rim__union_RegistryObjectListType_ExtrinsicObject) continue;
    const rim__ExtrinsicObjectType *entry = item.union_RegistryObjectListType.ExtrinsicObject;
    for (const auto *identifier : entry->ExternalIdentifier) {
      if (identifier->value != uniqueId) continue;
      std::cout << "title " << entry->Name->LocalizedString.at(0)->value << "\n";
      for (const auto *slot : entry->Slot)
        if (slot->name == "repositoryUniqueId") return slot->ValueList->Value.at(0);
    }
  }
  throw std::runtime_error("what was deposited is not found");
}

static void retrieve(const std::string &repository) {
  xds__DocumentRequestType document;
  document.soap_default(soap);
  document.RepositoryUniqueId = repository;
  document.DocumentUniqueId = given("unique-id");
  xds__RetrieveDocumentSetRequestType request;
  request.soap_default(soap);
  request.DocumentRequest.push_back(&document);

  const std::string to = address + "/xds/repository";
  address_request("retrieve", "urn:ihe:iti:2007:RetrieveDocumentSet", to);
  xds__RetrieveDocumentSetResponseType response;
  check(soap_call___xds__DocumentRepository_USCORERetrieveDocumentSet(soap, to.c_str(), "urn:ihe:iti:2007:RetrieveDocumentSet",
                                                                      &request, response));
  std::cout << "retrieved " << response.rs__RegistryResponse->status << "\n";
  const xds__DocumentResponseType *first = response.DocumentResponse.at(0);
  std::cout << "mimeType " << first->mimeType << "\n";
  std::ofstream out(folder + "/retrieved", std::ios::binary);
  out.write(reinterpret_cast<const char *>(first->Document.__ptr), first->Document.__size);
}

int main(int, char **arguments) {
  folder = arguments[1];
  address = arguments[2];
  soap = soap_new1(SOAP_C_UTFSTRING);
  soap_set_version(soap, 2);
  soap->connect_timeout = soap->recv_timeout = soap->send_timeout = 20;
  deposit();
  retrieve(find());
  soap_destroy(soap);
  soap_end(soap);
  soap_free(soap);
}
