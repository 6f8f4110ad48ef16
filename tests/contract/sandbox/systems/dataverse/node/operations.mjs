// dynamics-web-api, unmodified, against the Dataverse stand-in: its operations one by one.
// node operations.mjs FOLDER_OF_NODE_MODULES URL_OF_THE_ENVIRONMENT TOKEN   (NODE_EXTRA_CA_CERTS names the authority)
// Prints the name of each operation that does what it should; the first failure ends it with status 1.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const [, , folder, serverUrl, token] = process.argv;
const { DynamicsWebApi } = createRequire(path.join(folder, "anywhere.js"))("dynamics-web-api");
const api = new DynamicsWebApi({ serverUrl, dataApi: { version: "9.2" }, onTokenRefresh: async () => token });

const FABRIKAM = "a0000000-0000-4000-8000-000000000001";
const mark = `dwa${Date.now()}`;
const crm = "Microsoft.Dynamics.CRM.";
const label = (Label) => ({ LocalizedLabels: [{ Label, LanguageCode: 1033 }] });
const column = (SchemaName, more) => ({
  "@odata.type": `${crm}StringAttributeMetadata`, SchemaName, MaxLength: 50, DisplayName: label(SchemaName), ...more,
});

/** The stand-in refuses, with `status` and Dataverse's own error. */
async function refused(status, call) {
  await assert.rejects(call, (error) => {
    assert.equal(error.status, status, error.message);
    assert.match(error.code, /^0x/);
    return true;
  });
}

let account, etag, table;

const operations = {
  async create() {
    account = await api.create({ collection: "accounts", data: { name: `${mark} One`, telephone1: "1" } });
    const shown = await api.create({ collection: "accounts", data: { name: `${mark} Two` }, returnRepresentation: true, select: ["name"] });
    assert.equal(shown.name, `${mark} Two`);
    assert.match(account, /^[0-9a-f-]{36}$/);
  },
  async retrieve() {
    const row = await api.retrieve({ collection: "accounts", key: account, select: ["name"], includeAnnotations: "*" });
    assert.equal(row.name, `${mark} One`);
    etag = row["@odata.etag"];
    const expanded = await api.retrieve({
      collection: "accounts", key: FABRIKAM, select: ["name"], expand: [{ property: "transactioncurrencyid", select: ["isocurrencycode"] }],
    });
    assert.equal(expanded.transactioncurrencyid.isocurrencycode, "EUR");
  },
  async update() {
    await api.update({ collection: "accounts", key: account, data: { telephone1: "2" } });
    const shown = await api.update({ collection: "accounts", key: account, data: { fax: "3" }, returnRepresentation: true, select: ["fax"] });
    assert.equal(shown.fax, "3");
    assert.equal(await api.update({ collection: "accounts", key: account, data: { fax: "4" }, ifmatch: etag }), false);
  },
  async updateSingleProperty() {
    await api.updateSingleProperty({ collection: "accounts", key: account, fieldValuePair: { fax: "5" } });
    assert.equal((await api.retrieve({ collection: "accounts", key: account, select: ["fax"] })).fax, "5");
  },
  async upsert() {
    const key = `new_erpnumber='${mark}'`;
    await api.upsert({ collection: "accounts", key, data: { name: `${mark} Three` } });
    assert.equal((await api.retrieve({ collection: "accounts", key, select: ["name"] })).name, `${mark} Three`);
    assert.equal(await api.upsert({ collection: "accounts", key, data: { name: "x" }, ifnonematch: "*" }), null);
  },
  async retrieveMultiple() {
    const request = { collection: "accounts", select: ["name"], filter: `startswith(name,'${mark}')`, orderBy: ["name"], count: true, maxPageSize: 2 };
    const page = await api.retrieveMultiple(request);
    assert.equal(page.oDataCount, 3);
    assert.equal(page.value.length, 2);
    assert.equal((await api.retrieveMultiple(request, page.oDataNextLink)).value.length, 1);
    assert.equal((await api.retrieveAll(request)).value.length, 3);
    await refused(400, () => api.retrieveMultiple({ collection: "accounts", filter: "nonsense eq 1" }));
  },
  async trackChanges() {
    const first = await api.retrieveMultiple({ collection: "accounts", select: ["name"], trackChanges: true });
    await api.update({ collection: "accounts", key: account, data: { fax: "6" } });
    const changes = await api.retrieveMultiple({ collection: "accounts", select: ["name"] }, first.oDataDeltaLink);
    assert.deepEqual(changes.value.map((row) => row.accountid), [account]);
  },
  async count() {
    assert.ok((await api.count({ collection: "accounts" })) >= 6);
    assert.equal(await api.count({ collection: "accounts", filter: `startswith(name,'${mark}')` }), 3);
    assert.equal(await api.countAll({ collection: "accounts", filter: `startswith(name,'${mark}')`, select: ["name"] }), 3);
  },
  async associateSingleValued() {
    const link = { collection: "accounts", primaryKey: account, navigationProperty: "parentaccountid" };
    await api.associateSingleValued({ ...link, relatedCollection: "accounts", relatedKey: FABRIKAM });
    assert.equal((await api.retrieve({ collection: "accounts", key: account }))._parentaccountid_value, FABRIKAM);
    await api.disassociateSingleValued(link);
    assert.equal((await api.retrieve({ collection: "accounts", key: account }))._parentaccountid_value, null);
  },
  async fetch() {
    const condition = `<filter><condition attribute="name" operator="begins-with" value="${mark}"/></filter>`;
    const fetchXml = `<fetch count="2"><entity name="account"><attribute name="name"/>${condition}<order attribute="name"/></entity></fetch>`;
    const page = await api.fetch({ collection: "accounts", fetchXml, includeAnnotations: "*" });
    assert.equal(page.value.length, 2);
    const { cookie, nextPage } = page.PagingInfo;
    assert.equal((await api.fetch({ collection: "accounts", fetchXml, includeAnnotations: "*", pageNumber: nextPage, pagingCookie: cookie })).value.length, 1);
    assert.equal((await api.fetchAll({ collection: "accounts", fetchXml, includeAnnotations: "*" })).value.length, 3);
  },
  async apply() {
    const found = await api.retrieveMultiple({ collection: "accounts", apply: `filter(startswith(name,'${mark}'))/aggregate($count as n)` });
    assert.equal(found.value[0].n, 3);
  },
  async associate() {
    const contact = await api.create({ collection: "contacts", data: { lastname: mark } });
    const related = { collection: "accounts", primaryKey: account, relationshipName: "contact_customer_accounts", relatedKey: contact };
    await api.associate({ ...related, relatedCollection: "contacts" });
    const expand = [{ property: "contact_customer_accounts", select: ["lastname"], filter: `lastname eq '${mark}'`, orderBy: ["lastname"], top: 2 }];
    const row = await api.retrieve({ collection: "accounts", key: account, select: ["name"], expand });
    assert.deepEqual(row.contact_customer_accounts.map((each) => each.contactid), [contact]);
    await api.disassociate(related);
    const nobody = await api.retrieve({ collection: "accounts", key: account, navigationProperty: "contact_customer_accounts" });
    assert.equal(nobody.value.length, 0);
  },
  async callFunction() {
    assert.match((await api.callFunction("WhoAmI")).UserId, /^[0-9a-f-]{36}$/);
    await refused(404, () => api.callFunction("Nonsense"));
    assert.match((await api.callFunction("RetrieveVersion")).Version, /^9\.2\./);
    const counted = await api.callFunction({ name: "RetrieveTotalRecordCount", parameters: { EntityNames: ["account"] } });
    assert.deepEqual(counted.EntityRecordCountCollection.Keys, ["account"]);
    await refused(501, () => api.callFunction("RetrieveDependentComponents"));
    const filter = `${crm}In(PropertyName='name',PropertyValues=${JSON.stringify(["Contoso Ltd"])})`;
    assert.equal((await api.retrieveMultiple({ collection: "accounts", filter })).value.length, 1);
  },
  async callAction() {
    const name = "opportunities";
    const opportunity = await api.create({ collection: name, data: { name: mark } });
    const close = { Status: 3, OpportunityClose: { "opportunityid@odata.bind": `${name}(${opportunity})` } };
    await api.callAction({ actionName: "WinOpportunity", action: close });
    assert.equal((await api.retrieve({ collection: name, key: opportunity })).statecode, 1);
    await refused(404, () => api.callAction({ collection: name, key: opportunity, actionName: `${crm}Nonsense` }));
    const Targets = [1, 2].map((number) => ({ "@odata.type": `${crm}account`, name: `many ${number} ${mark}` }));
    const made = await api.callAction({ collection: "accounts", actionName: `${crm}CreateMultiple`, action: { Targets } });
    assert.equal(made.Ids.length, 2);
  },
  async entities() {
    const data = { "@odata.type": `${crm}EntityMetadata`, SchemaName: `new_Js${Date.now()}`, DisplayName: label("Js"), OwnershipType: "UserOwned" };
    data.Attributes = [column("new_Name", { IsPrimaryName: true })];
    table = await api.createEntity({ data });
    const found = await api.retrieveEntities({ select: ["LogicalName"], filter: `LogicalName eq '${data.SchemaName.toLowerCase()}'` });
    assert.deepEqual(found.value.map((each) => each.MetadataId), [table]);
    const whole = await api.retrieveEntity({ key: table, expand: [{ property: "Attributes", select: ["LogicalName"] }] });
    assert.ok(whole.Attributes.some((each) => each.LogicalName === "new_name"));
    delete whole.Attributes;
    await api.updateEntity({ data: { ...whole, DisplayName: label("Other") }, mergeLabels: true });
    const changed = await api.retrieveEntity({ key: `LogicalName='${whole.LogicalName}'`, select: ["DisplayName"] });
    assert.equal(changed.DisplayName.UserLocalizedLabel.Label, "Other");
  },
  async attributes() {
    const made = await api.createAttribute({ entityKey: table, data: column("new_Code") });
    const castType = `${crm}StringAttributeMetadata`;
    const code = await api.retrieveAttribute({ entityKey: table, attributeKey: made, castType });
    assert.equal(code.MaxLength, 50);
    await api.updateAttribute({ entityKey: table, data: { ...code, MaxLength: 60 }, castType });
    assert.equal((await api.retrieveAttribute({ entityKey: table, attributeKey: "LogicalName='new_code'", castType })).MaxLength, 60);
    const texts = await api.retrieveAttributes({ entityKey: table, castType, select: ["LogicalName"], filter: "LogicalName eq 'new_code'" });
    assert.deepEqual(texts.value.map((each) => each.MetadataId), [made]);
    await refused(404, () => api.retrieveAttribute({ entityKey: table, attributeKey: "LogicalName='nonsense'" }));
  },
  async relationships() {
    const castType = `${crm}OneToManyRelationshipMetadata`;
    const found = await api.retrieveRelationships({ castType, filter: "ReferencingEntity eq 'account'", select: ["SchemaName"] });
    const one = await api.retrieveRelationship({ key: found.value[0].MetadataId, castType });
    assert.equal(one.SchemaName, found.value[0].SchemaName);
    await refused(501, () => api.createRelationship({ data: {} }));
    await refused(501, () => api.deleteRelationship({ key: found.value[0].MetadataId }));
  },
  async retrieveCsdlMetadata() {
    assert.match(await api.retrieveCsdlMetadata(), /<EntitySet Name="accounts"/);
  },
  async deleteRecord() {
    await api.deleteRecord({ collection: "accounts", key: account, property: "fax" });
    assert.equal((await api.retrieve({ collection: "accounts", key: account })).fax, null);
    await api.deleteRecord({ collection: "accounts", key: account });
    await refused(404, () => api.retrieve({ collection: "accounts", key: account }));
  },
  async batch() {
    api.startBatch();
    api.create({ collection: "contacts", data: { lastname: mark }, contentId: "1" });
    api.create({ collection: "accounts", data: { name: `${mark} batch`, "primarycontactid@odata.bind": "$1" } });
    const [contact, made] = await api.executeBatch();
    assert.equal((await api.retrieve({ collection: "accounts", key: made }))._primarycontactid_value, contact);
    api.startBatch();
    api.retrieve({ collection: "accounts", key: made, select: ["name"] });
    api.create({ collection: "accounts", data: { name: "x".repeat(200) } });
    const [read, failed] = await api.executeBatch().then(assert.fail, (answers) => answers);
    assert.deepEqual([read.name, failed.status, failed.error.code], [`${mark} batch`, 400, "0x80044331"]);
    api.startBatch();
    api.retrieveMultiple({ collection: "accounts", select: ["name"], filter: `startswith(name,'${mark}')` });
    api.count({ collection: "accounts", filter: `name eq '${mark} batch'` });
    api.update({ collection: "accounts", key: made, data: { fax: "1" } });
    api.deleteRecord({ collection: "accounts", key: made });
    const [found, count, updated, deleted] = await api.executeBatch();
    assert.deepEqual([found.value.length, count, updated, deleted], [3, 1, true, true]);
    await refused(404, () => api.retrieve({ collection: "accounts", key: made }));
  },
  async refusals() {
    await refused(501, () => api.retrieveGlobalOptionSets());
    await refused(501, () => api.createGlobalOptionSet({ data: {} }));
    await refused(501, () => api.search("bikes"));
  },
};

for (const [name, operation] of Object.entries(operations)) {
  await operation().catch((error) => {
    console.error(name, error);
    process.exit(1);
  });
  console.log(name);
}
