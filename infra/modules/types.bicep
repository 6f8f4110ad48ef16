metadata description = 'The types of the parameters that main.bicep and its modules share.'

@export()
@description('The Dataverse environment and how the app signs in there.')
type dataverseType = {
  @description('Environment URL, for example https://contoso.crm4.dynamics.com.')
  url: string

  @description('Organisation id (WhoAmI, OrganizationId): what plug-in payloads, which do not name it, belong to.')
  organisationId: string

  @description('Entra tenant of the environment; the tenant of the subscription if it is left out.')
  tenantId: string?

  @description('Client id of an app registration whose secret is in Key Vault (dataverse-client-secret). Left out: the managed identity signs in, without any secret. Needed where Dataverse lives in another tenant.')
  appRegistrationClientId: string?
}

@export()
@description('The systems that the worker calls, by name: one word in lower case. The flows need erp and credit.')
type systemsType = {
  *: systemType
}

@export()
@description('A system that the worker calls over HTTP.')
type systemType = {
  @description('What the setting SYSTEMS says of it (docs/reference/settings.md): adapter, url, and whatever else is no secret.')
  settings: object

  @description('Its keys that are in Key Vault, each as a secret of its own: erp-api-key, erp-client-secret, erp-client-certificate, erp-relay-key, credit-password. Empty where the managed identity signs in.')
  secrets: systemSecretType[]
}

@export()
type systemSecretType = 'apiKey' | 'clientSecret' | 'clientCertificate' | 'relayKey' | 'password'

@export()
@description('EventName of a plug-in payload -> what it stands for.')
type pluginEventsType = {
  *: pluginEventType
}

@export()
type pluginEventType = {
  @description('Logical name of the table.')
  table: string

  @description('Dataverse message: Create, Update, Delete ...')
  message: string
}

@export()
@description('How far the app scales.')
type scaleType = {
  @description('Memory of one instance in MB; 512 is not offered in every region.')
  instanceMemoryMB: 512 | 2048 | 4096

  @description('Most instances of each scale group. No more than Dataverse serves at once: 52 requests of each application user, divided by DATAVERSE_CONCURRENCY.')
  @minValue(1)
  @maxValue(1000)
  maximumInstanceCount: int

  @description('HTTP requests that one instance takes at once before another one starts. Never left out: for Python, Azure would take 1, and start an instance for each concurrent webhook.')
  @minValue(1)
  @maxValue(1000)
  httpPerInstanceConcurrency: int

  @description('Instances that are kept running, by scale group: http for the intake, function:work for the worker. At least two each where the app is zone redundant.')
  alwaysReady: alwaysReadyType[]
}

@export()
type alwaysReadyType = {
  name: string
  @minValue(1)
  instanceCount: int
}

@export()
@description('Who may reach the HTTP routes: a service tag or an address range.')
type accessRuleType = {
  @maxLength(32)
  name: string

  @description('Such as PowerPlatformInfra. Exactly one of serviceTag and addressRange.')
  serviceTag: string?

  @description('IPv4 or IPv6 range, such as 203.0.113.0/24.')
  addressRange: string?
}

@export()
@description('One queue, topic or hub (topology.json, serviceEndpoints) that Dataverse posts to directly, with a SAS key or an identity. It lives in a namespace of its own.')
type sasIntakeType = {
  kind: 'queue' | 'topic' | 'hub'

  @description('Object id of the service principal with which Dataverse signs in (its managed identity). It may send to the entity, and nothing else.')
  senderPrincipalId: string?

  @description('Left out: true. With senderPrincipalId there need be no key once the endpoint has moved to the identity; SAS is off then.')
  withKey: bool?
}

@export()
@description('Azure Relay in front of systems that are reached in no other way.')
type relayType = {
  @description('Name of the namespace, the first part of its address: <name>.servicebus.windows.net. Nobody else may have it.')
  @minLength(6)
  @maxLength(50)
  namespace: string

  @description('Hybrid connections, one for each system: the first part of the path in its url.')
  hybridConnections: string[]

  @description('Object id of a service principal or managed identity that runs the listeners. Left out: each hybrid connection has a key "listen" for them, which allows nothing else.')
  listenerPrincipalId: string?
}

@export()
@description('Virtual network, private endpoints and DNS.')
type networkType = {
  @description('Address space of the network that is made, /22 or larger: /24 for the app, /24 for the private endpoints. Not used with existingSubnets.')
  addressPrefix: string

  @description('Subnets of a network of yours, which is then neither made nor changed: routes, security groups and peerings stay as they are.')
  existingSubnets: existingSubnetsType?

  @description('Resource group of the subscription that has your private DNS zones (privatelink.blob..., privatelink.servicebus...), already linked. Left out: zones are made here.')
  existingZonesGroup: string?

  @description('DNS servers, for names of the company network; left out: those of Azure. They must forward the privatelink zones to Azure.')
  dnsServers: string[]?

  @description('One fixed outbound address (NAT gateway), for allow-lists of ERP, credit scoring and Dataverse.')
  fixedOutboundAddress: bool
}

@export()
@description('Subnets of a network that exists, each by its resource id.')
type existingSubnetsType = {
  @description('Delegated to Microsoft.App/environments, with the service endpoint Microsoft.Storage.Global; /27 or larger.')
  app: string

  @description('For the private endpoints.')
  endpoints: string
}

@export()
@description('Limits above which alerts fire.')
type alertLimitsType = {
  @description('Active messages of the work queue.')
  @minValue(1)
  activeMessages: int

  @description('Attempts that failed for one reason within 15 minutes.')
  @minValue(1)
  failedAttempts: int

  @description('5xx answers of the intake within 15 minutes.')
  @minValue(1)
  intakeErrors: int

  @description('Minutes since the oldest event was accepted that has not ended yet. An event may wait for a system for RETRY_MAX_AGE_HOURS.')
  @minValue(5)
  oldestUnsettledMinutes: int

  @description('Calls of the intake with a wrong key, or none, within 15 minutes.')
  @minValue(1)
  unauthorised: int

  @description('Minutes that a sink may be behind the hub.')
  @minValue(1)
  sinkBehindMinutes: int

  @description('Also alert when no event came in for so many hours, other than at the weekend. For an environment that people work in every day.')
  quietHours: (1 | 2 | 3 | 4 | 5 | 6 | 24)?
}

@export()
@description('Availability test of Application Insights (a standard test): asks GET /api/health from outside.')
type availabilityType = {
  @description('Minutes between two requests from each place.')
  everyMinutes: 5 | 10 | 15

  @description('Places that ask, at least three: fewer could not tell an app that is away from a place that is. Such as emea-nl-ams-azr for West Europe.')
  @minLength(3)
  locations: string[]
}

@export()
@description('A queue of topology.json.')
type queueType = {
  name: string
  requiresSession: bool
  requiresDuplicateDetection: bool
  duplicateDetectionHistoryTimeWindow: string
  lockDuration: string
  maxDeliveryCount: int
  defaultMessageTimeToLive: string
  deadLetteringOnMessageExpiration: bool
}

@export()
@description('An event hub of topology.json.')
type hubType = {
  name: string
  partitionCount: int
  retentionTimeInHours: int
  consumerGroups: string[]
}

@export()
@description('A budget of the resource group.')
type budgetType = {
  @description('Amount of a month, in the currency of the subscription.')
  @minValue(1)
  monthlyAmount: int

  @description('The month that it begins with, as 2026-12. Azure takes none that is past when the budget is made, and no other one later.')
  @minLength(7)
  @maxLength(7)
  firstMonth: string
}

@export()
@description('How long blobs are kept.')
type keepType = {
  @description('Days that the archive and the files of Capture are kept; 400 is LEDGER_RETENTION_MONTHS, 13 months.')
  @minValue(30)
  archiveDays: int

  @description('Days that daily copies of the ledger are kept.')
  @minValue(7)
  copiesDays: int
}

@export()
@description('Sign-in of people with Entra (App Service Authentication).')
type entraType = {
  @description('Client id of the app registration; its app roles have the names of OPERATIONS_ROLES.')
  clientId: string

  @description('Object ids of the users and groups that may sign in; left out: everybody of the tenant, who then has the roles that he was assigned.')
  allowedPrincipals: string[]?
}

@export()
@description('The custom endpoint of an Eventstream, as its page in Fabric shows it (Event Hub, Entra ID). The app\'s identity is a member of the workspace.')
type fabricType = {
  @description('Its namespace, as NAME.servicebus.windows.net.')
  namespace: string

  @description('Name of its event hub.')
  hub: string
}

@export()
@description('Virtual tables of Dataverse over rows of the ERP. The keys of their callers are the secret virtual-table-keys.')
type virtualTablesType = {
  @description('Callers that may create and change rows; left out: nobody.')
  writers: string[]?

  @description('Dataverse is told of changes in the ERP, so that flows on the tables run; left out: it is not.')
  events: bool?
}

@export()
@description('Another program that reads the stream of settled events, such as Data Explorer or Stream Analytics.')
type readerType = {
  @description('Its consumer group, made for it.')
  @minLength(1)
  @maxLength(50)
  consumerGroup: string

  @description('Object id of its identity, which may receive from the hub.')
  principalId: string
}

@export()
@description('Tables of Dataverse that a Data Factory copies into files.')
type dataFactoryType = {
  @description('Logical names of the tables.')
  @minLength(1)
  tables: string[]

  @description('First day of the daily extract, as 2026-12-01. Days that are past when the trigger is started are made up for.')
  @minLength(10)
  @maxLength(10)
  firstDay: string
}

@export()
@description('Tags that say whose an environment is.')
type ownTagsType = {
  @description('Who answers for it: a team or a mail address.')
  owner: string

  @description('Who pays for it.')
  costCentre: string

  @description('How sensitive its data is: events have ids and amounts, the archive and the ledger credit scores.')
  dataClass: 'public' | 'internal' | 'confidential' | 'restricted'

  *: string
}

@export()
@description('Tags of every resource.')
type tagsType = {
  *: string
}
