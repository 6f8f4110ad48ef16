targetScope = 'resourceGroup'

metadata description = '''
Dataverse integration: one Flex Consumption app, Service Bus, Event Hubs, storage, Key Vault, monitoring. Identity only.
Queues, hubs, consumer groups and functions stand in topology.json, which the code is held against.
'''

import {
  accessRuleType
  alertLimitsType
  availabilityType
  budgetType
  dataFactoryType
  dataverseType
  entraType
  fabricType
  keepType
  pluginEventsType
  networkType
  relayType
  ownTagsType
  readerType
  sasIntakeType
  scaleType
  systemsType
  virtualTablesType
} from 'modules/types.bicep'

@description('Short name of the workload; part of every resource name. Lower case letters and digits.')
@minLength(2)
@maxLength(10)
param workload string

@description('Short name of the environment; part of every resource name. Lower case letters and digits.')
@minLength(2)
@maxLength(6)
param environmentName string

@description('Region. Not every region has Flex Consumption: az functionapp list-flexconsumption-locations.')
param location string = resourceGroup().location

@description('Tags of every resource, besides workload and environment.')
param tags ownTagsType

// What the app talks to

@description('The Dataverse environment.')
param dataverse dataverseType

@description('The systems that the worker calls, by name; the flows need erp and credit.')
param systems systemsType

@description('What the EventNames of plug-in payloads stand for.')
param pluginEvents pluginEventsType = {
  AccountCreated: { table: 'account', message: 'Create' }
  AccountUpdated: { table: 'account', message: 'Update' }
  OpportunityCreated: { table: 'opportunity', message: 'Create' }
  OpportunityUpdated: { table: 'opportunity', message: 'Update' }
}

@description('Further app settings by name (integration/settings/), such as RETRY_MAX_ATTEMPTS. Never secrets.')
param moreSettings object = {}

// Size

@description('Python of the app; the tests run on 3.11, 3.12 and 3.13. Azure offers 3.14 too, on which they have not run.')
@allowed(['3.11', '3.12', '3.13', '3.14'])
param pythonVersion string = '3.13'

@description('How far the app scales, and what is always ready.')
param scale scaleType = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 6
  httpPerInstanceConcurrency: 64
  alwaysReady: []
}

@description('What becomes of running executions when code or settings change: Recreate ends them, RollingUpdate (preview) lets them finish. infra/deploy.py sets it.')
@allowed(['Recreate', 'RollingUpdate'])
param updateStrategy string = 'Recreate'

@description('Spread app and storage over availability zones. Needs two always-ready instances of each group that has any. One-way: only a new environment takes another value.')
param zoneRedundant bool = false

@description('Service Bus tier. Premium is needed with a private network, and for messages over 256 KB. One-way: only a new environment takes another value.')
@allowed(['Standard', 'Premium'])
param serviceBusSku string = 'Standard'

@description('Throughput units of Event Hubs (1 MB/s in, 2 MB/s out each) that every deployment sets. Azure adds units under load and never takes them back: raise this to what it has come to, or the next deployment takes them away.')
@minValue(1)
@maxValue(40)
param throughputUnits int = 1

@description('Most throughput units that Azure adds up to.')
@minValue(1)
@maxValue(40)
param maximumThroughputUnits int = 4

@description('Also keep every hub as Avro files (Event Hubs Capture), beside the archive of the app.')
param capture bool = false

@description('Other programs that read the stream of settled events, each with its consumer group and its right.')
param readers readerType[] = []

@description('A Data Factory that copies tables of Dataverse into files: all once, then each day what has changed. Left out: none.')
param dataFactory dataFactoryType?

@description('Make an Event Grid topic that announces each new file of the archive.')
param archiveTopic bool = false

@description('Make an Event Grid topic that Dataverse or plug-ins publish to, and that posts to the intake: with Entra tokens (entra), or with its access keys too (keys), which Dataverse needs. Left out: none.')
param eventGridTopic ('entra' | 'keys')?

@description('How long blobs are kept.')
param keep keepType = {
  archiveDays: 400
  copiesDays: 35
}

@description('Region that data is also kept in: storage becomes geo-redundant, the queue is replicated (Premium), copies of the ledger are made there. Left out: one region. One-way: only a new environment takes another value.')
param secondaryLocation string?

// Who may reach what

@description('Who may reach the HTTP routes; if it is empty, everybody, and only the intake key protects them. Always include Dataverse (PowerPlatformPlex and PowerPlatformInfra).')
param accessRules accessRuleType[] = []

@description('Virtual network, private endpoints and DNS for storage, Service Bus and Event Hubs; the intake stays reachable. Left out: public addresses with Entra tokens.')
param network networkType?

@description('Telemetry stays in the network too (Azure Monitor private link scope); needs network. infra/deploy.py makes the scope after the resources here. Off: public addresses with Entra tokens.')
param privateMonitoring bool = false

@description('People of support sign in with Entra. Left out: with their keys alone.')
param entra entraType?

@description('One queue, topic or hub that Dataverse posts to directly, with a SAS key or an identity (modules/sasintake.bicep). Left out: SAS is off everywhere.')
param sasIntake sasIntakeType?

@description('A queue that an endpoint of Finance & Operations posts business events to with a SAS key, in a namespace of its own (modules/sasintake.bicep).')
param businessEvents bool = false

@description('Let callers of the intake subscribe to ended events: a queue for the deliveries and a consumer group of the hub.')
param webhooks bool = false

@description('Virtual tables of Dataverse over rows of the ERP. Left out: none answers.')
param virtualTables virtualTablesType?

@description('Publish settled events to a custom topic of Event Grid, which is made for them (modules/eventgrid.bicep).')
param publishToEventGrid bool = false

@description('Publish operators\' events to that topic, too; needs publishToEventGrid.')
param operatorEventsToEventGrid bool = false

@description('Send settled events to a table of the Log Analytics workspace (modules/logsingestion.bicep). With privateMonitoring they go through its private endpoint.')
param sendToLogAnalytics bool = false

@description('The custom endpoint of an Eventstream in Microsoft Fabric that settled events are sent to. Left out: none.')
param fabric fabricType?

@description('Write settled events to a container of the storage account as Parquet. The package has to be made with --lake.')
param lake bool = false

@description('A Delta table that settled events are appended to, as the setting DELTA_TABLE has it: in OneLake, in a storage account, or az://CONTAINER/FOLDER in the one here. The package has to be made with --delta. Empty: none.')
param deltaTable string = ''

@description('Azure Relay, for systems in a network that lets nobody in (modules/relay.bicep). Left out: there is none.')
param relay relayType?

@description('Locks against deletion, purge protection of the vault. One-way: purge protection cannot be taken back.')
param protect bool = false

// Operations

@description('Mail addresses that alerts go to.')
param alertEmails string[] = []

@description('Addresses that alerts are posted to (common alert schema). Whoever may read the action group sees them.')
param alertWebhooks string[] = []

@description('A budget, whose mails stop nothing. Left out: none.')
param budget budgetType?

@description('An availability test, with an alert on what it finds. infra/deploy.py makes the test after the resources here. Left out: none.')
param availability availabilityType?

@description('Limits of the alerts.')
param alertLimits alertLimitsType = {
  activeMessages: 1000
  failedAttempts: 50
  intakeErrors: 5
  oldestUnsettledMinutes: 120
  unauthorised: 20
  sinkBehindMinutes: 15
}

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Most gigabytes of logs a day; -1 for no limit.')
@minValue(-1)
param logQuotaGb int = -1

var topology = loadJsonContent('topology.json')
var businessEventsEndpoint = union(topology.serviceEndpoints, { queue: topology.serviceEndpoints.businessEvents })

var base = '${workload}-${environmentName}'
var suffix = take(uniqueString(resourceGroup().id, workload, environmentName), 6)
var allTags = union(tags, { workload: workload, environment: environmentName })

var deploymentContainer = 'app-package'
var captureContainer = 'eventhubs-capture'
var extractsContainer = 'dataverse-extracts'
var containers = concat(
  topology.storage.containers,
  capture ? [captureContainer] : [],
  dataFactory == null ? [] : [extractsContainer],
  lake ? [topology.sinks.lake.container] : [],
  startsWith(deltaTable, 'az://') ? [split(deltaTable, '/')[2]] : []
)

// What options add to the topology, where they are asked for.
var hubReaders = concat(
  webhooks ? [topology.webhooks] : [],
  publishToEventGrid ? [topology.sinks.eventGrid] : [],
  sendToLogAnalytics ? [topology.sinks.logAnalytics] : [],
  fabric == null ? [] : [topology.sinks.fabric],
  lake ? [topology.sinks.lake] : [],
  empty(deltaTable) ? [] : [topology.sinks.delta]
)
var queues = concat(topology.serviceBus.queues, webhooks ? [topology.webhooks.queue] : [])
var hubs = map(topology.eventHubs.hubs, hub => {
  name: hub.name
  partitionCount: hub.partitionCount
  retentionTimeInHours: hub.retentionTimeInHours
  consumerGroups: concat(
    hub.consumerGroups,
    map(filter(hubReaders, reader => reader.hub == hub.name), reader => reader.consumerGroup)
  )
})

var isPrivate = network != null
// Without a network there is nothing that a scope could be private to.
var monitorsPrivately = privateMonitoring && isPrivate

// Names and ids are put together here, not taken from outputs: what-if shows nothing of a module that needs an output of another.
var names = {
  identity: 'id-${base}'
  packageIdentity: 'id-${base}-package'
  factoryIdentity: 'id-${base}-factory'
  workspace: 'log-${base}'
  component: 'appi-${base}'
  actionGroup: 'ag-${base}'
  network: 'vnet-${base}'
  storage: 'st${workload}${environmentName}${suffix}'
  packageStore: '${take('stp${workload}${environmentName}', 18)}${suffix}'
  copies: '${take('stc${workload}${environmentName}', 18)}${suffix}'
  serviceBus: 'sb-${base}-${suffix}'
  eventHubs: 'evhns-${base}-${suffix}'
  keyVault: 'kv-${take(workload, 8)}-${environmentName}-${take(suffix, 4)}'
  app: 'func-${base}-${suffix}'
  sasIntake: 'in-${base}-${suffix}'
  businessEvents: 'be-${base}-${suffix}'
  eventGrid: 'evgt-${base}-settled-${suffix}'
  // A rule of another kind has another name: Azure does not say that the kind of a rule can be changed.
  settledRule: 'dcr-${base}-settled${monitorsPrivately ? '-private' : ''}'
  settledEndpoint: 'dce-${base}-settled'
}
var ids = {
  identity: resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', names.identity)
  packageIdentity: resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', names.packageIdentity)
  factoryIdentity: resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', names.factoryIdentity)
  workspace: resourceId('Microsoft.OperationalInsights/workspaces', names.workspace)
  component: resourceId('Microsoft.Insights/components', names.component)
  actionGroup: resourceId('Microsoft.Insights/actionGroups', names.actionGroup)
  network: resourceId('Microsoft.Network/virtualNetworks', names.network)
  appSubnet: network.?existingSubnets.?app ?? resourceId(
    'Microsoft.Network/virtualNetworks/subnets',
    names.network,
    'app'
  )
  endpointSubnet: network.?existingSubnets.?endpoints ?? resourceId(
    'Microsoft.Network/virtualNetworks/subnets',
    names.network,
    'endpoints'
  )
  storage: resourceId('Microsoft.Storage/storageAccounts', names.storage)
  serviceBus: resourceId('Microsoft.ServiceBus/namespaces', names.serviceBus)
  eventHubs: resourceId('Microsoft.EventHub/namespaces', names.eventHubs)
  keyVault: resourceId('Microsoft.KeyVault/vaults', names.keyVault)
  eventGrid: resourceId('Microsoft.EventGrid/topics', names.eventGrid)
}

// The most that each tier takes. By default a queue has 1 GB, which some 70,000 events of 14 KB fill, retries and dead letters
// among them; then the intake answers 503.
var queueSizeMb = serviceBusSku == 'Premium' ? 81920 : 5120

var makesNetwork = isPrivate && network.?existingSubnets == null
var redundancy = secondaryLocation == null ? (zoneRedundant ? 'ZRS' : 'LRS') : (zoneRedundant ? 'GZRS' : 'GRS')
var publicNetworkAccess = isPrivate ? 'Disabled' : 'Enabled'

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: names.identity
    location: location
    tags: allTags
  }
}

module packageIdentity 'modules/identity.bicep' = {
  name: 'identity-package'
  params: {
    name: names.packageIdentity
    location: location
    tags: allTags
  }
}

module packageStore 'modules/packagestore.bicep' = {
  name: 'packagestore'
  params: {
    name: names.packageStore
    skuName: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
    container: deploymentContainer
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: names.workspace
    componentName: names.component
    actionGroupName: names.actionGroup
    actionGroupShortName: take('${workload}${environmentName}', 12)
    alertEmails: alertEmails
    alertWebhooks: alertWebhooks
    retentionDays: logRetentionDays
    dailyQuotaGb: logQuotaGb
    privateIngestion: monitorsPrivately
    location: location
    tags: allTags
  }
}

module vnet 'modules/network.bicep' = if (makesNetwork) {
  name: 'network'
  params: {
    name: names.network
    network: network!
    location: location
    tags: allTags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: names.storage
    skuName: 'Standard_${redundancy}'
    containers: containers
    archiveDays: keep.archiveDays
    publicNetworkAccess: publicNetworkAccess
    workspaceId: ids.workspace
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module copies 'modules/copies.bicep' = {
  name: 'copies'
  params: {
    name: names.copies
    container: topology.storage.copies[0]
    keptDays: keep.copiesDays
    subnetId: isPrivate ? ids.appSubnet : ''
    workspaceId: ids.workspace
    location: secondaryLocation ?? location
    tags: allTags
  }
  dependsOn: [
    monitoring
    vnet
  ]
}

module copiesRoles 'modules/roles-container.bicep' = {
  name: 'roles-copies'
  params: {
    principalId: identity.outputs.principalId
    storageAccountName: names.copies
    containerName: topology.storage.copies[0]
  }
  dependsOn: [
    copies
  ]
}

module packageRoles 'modules/roles-container.bicep' = {
  name: 'roles-package'
  params: {
    principalId: packageIdentity.outputs.principalId
    storageAccountName: names.packageStore
    containerName: deploymentContainer
  }
  dependsOn: [
    packageStore
  ]
}

module storageRoles 'modules/roles-storage.bicep' = {
  name: 'roles-storage'
  params: {
    principalId: identity.outputs.principalId
    storageAccountName: names.storage
  }
  dependsOn: [
    storage
  ]
}

module serviceBus 'modules/servicebus.bicep' = {
  name: 'servicebus'
  params: {
    name: names.serviceBus
    skuName: serviceBusSku
    queues: queues
    queueSizeMb: queueSizeMb
    publicNetworkAccess: publicNetworkAccess
    secondaryLocation: secondaryLocation
    workspaceId: ids.workspace
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module eventHubs 'modules/eventhubs.bicep' = {
  name: 'eventhubs'
  params: {
    name: names.eventHubs
    hubs: hubs
    capture: capture
    captureStorageAccountId: ids.storage
    captureContainer: captureContainer
    identityId: ids.identity
    throughputUnits: throughputUnits
    maximumThroughputUnits: maximumThroughputUnits
    publicNetworkAccess: publicNetworkAccess
    workspaceId: ids.workspace
    location: location
    tags: allTags
  }
  dependsOn: [
    identity
    monitoring
    storageRoles
  ]
}

module intake 'modules/sasintake.bicep' = if (sasIntake != null) {
  name: 'sasintake'
  params: {
    kind: sasIntake!.kind
    serviceEndpoints: topology.serviceEndpoints
    name: names.sasIntake
    withKey: sasIntake!.?withKey ?? true
    workspaceId: ids.workspace
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module intakeRoles 'modules/roles-sasintake.bicep' = if (sasIntake != null) {
  name: 'roles-sasintake'
  params: {
    kind: sasIntake!.kind
    serviceEndpoints: topology.serviceEndpoints
    namespaceName: names.sasIntake
    principalId: identity.outputs.principalId
  }
  dependsOn: [
    intake
  ]
}

module intakeSender 'modules/roles-sasintake.bicep' = if (sasIntake.?senderPrincipalId != null) {
  name: 'roles-sasintake-sender'
  params: {
    kind: sasIntake!.kind
    serviceEndpoints: topology.serviceEndpoints
    namespaceName: names.sasIntake
    principalId: sasIntake!.senderPrincipalId!
    sends: true
  }
  dependsOn: [
    intake
  ]
}

module businessEventsQueue 'modules/sasintake.bicep' = if (businessEvents) {
  name: 'businessevents'
  params: {
    kind: 'queue'
    serviceEndpoints: businessEventsEndpoint
    ruleName: 'business-events-send'
    name: names.businessEvents
    workspaceId: ids.workspace
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module businessEventsRoles 'modules/roles-sasintake.bicep' = if (businessEvents) {
  name: 'roles-businessevents'
  params: {
    kind: 'queue'
    serviceEndpoints: businessEventsEndpoint
    namespaceName: names.businessEvents
    principalId: identity.outputs.principalId
  }
  dependsOn: [
    businessEventsQueue
  ]
}

module settledTopic 'modules/eventgrid.bicep' = if (publishToEventGrid) {
  name: 'eventgrid'
  params: {
    name: names.eventGrid
    publicNetworkAccess: publicNetworkAccess
    workspaceId: ids.workspace
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module settledTopicRoles 'modules/roles-eventgrid.bicep' = if (publishToEventGrid) {
  name: 'roles-eventgrid'
  params: {
    topicName: names.eventGrid
    principalId: identity.outputs.principalId
  }
  dependsOn: [
    settledTopic
  ]
}

module settledTable 'modules/logsingestion.bicep' = if (sendToLogAnalytics) {
  name: 'logsingestion'
  params: {
    name: names.settledRule
    endpointName: monitorsPrivately ? names.settledEndpoint : ''
    workspaceName: names.workspace
    stream: topology.sinks.logAnalytics.settings.LOG_ANALYTICS_STREAM
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module settledTableRoles 'modules/roles-logsingestion.bicep' = if (sendToLogAnalytics) {
  name: 'roles-logsingestion'
  params: {
    ruleName: names.settledRule
    principalId: identity.outputs.principalId
  }
  dependsOn: [
    settledTable
  ]
}

module relayNamespace 'modules/relay.bicep' = if (relay != null) {
  name: 'relay'
  params: {
    relay: relay!
    workspaceId: ids.workspace
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module relayRoles 'modules/roles-relay.bicep' = if (relay != null) {
  name: 'roles-relay'
  params: {
    principalId: identity.outputs.principalId
    listenerPrincipalId: relay.?listenerPrincipalId ?? ''
    relayName: relay!.namespace
    hybridConnections: relay!.hybridConnections
  }
  dependsOn: [
    relayNamespace
  ]
}

module keyVault 'modules/keyvault.bicep' = {
  name: 'keyvault'
  params: {
    name: names.keyVault
    purgeProtection: protect
    workspaceId: ids.workspace
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    serviceBusName: names.serviceBus
    receivingQueues: map(queues, it => it.name)
    sendingQueues: topology.senders.queues
    eventHubsName: names.eventHubs
    receivingHubs: map(topology.functions.eventHubs, it => it.hub)
    sendingHubs: topology.senders.hubs
    keyVaultName: names.keyVault
    componentName: names.component
  }
  dependsOn: [
    eventHubs
    keyVault
    monitoring
    serviceBus
  ]
}

module functionApp 'modules/functionapp.bicep' = {
  name: 'functionapp'
  params: {
    name: names.app
    planName: 'plan-${base}'
    identityId: ids.identity
    packageIdentityId: ids.packageIdentity
    storageAccountName: names.packageStore
    deploymentContainer: deploymentContainer
    pythonVersion: pythonVersion
    scale: scale
    zoneRedundant: zoneRedundant
    subnetId: isPrivate ? ids.appSubnet : ''
    accessRules: accessRules
    location: location
    tags: allTags
  }
  dependsOn: [
    intakeRoles
    copiesRoles
    packageRoles
    privateEndpoints
    roles
    storageRoles
    vnet
  ]
}

module appSettings 'modules/appsettings.bicep' = {
  name: 'appsettings'
  params: {
    functionAppName: names.app
    identityName: names.identity
    storageAccountName: names.storage
    componentName: names.component
    serviceBusName: names.serviceBus
    eventHubsName: names.eventHubs
    keyVaultName: names.keyVault
    topologySettings: union(
      topology.settings,
      webhooks ? topology.webhooks.settings : {},
      publishToEventGrid ? topology.sinks.eventGrid.settings : {},
      sendToLogAnalytics ? topology.sinks.logAnalytics.settings : {},
      fabric == null ? {} : topology.sinks.fabric.settings,
      lake ? union(topology.sinks.lake.settings, { LAKE_CONTAINER_NAME: topology.sinks.lake.container }) : {},
      empty(deltaTable) ? {} : union(topology.sinks.delta.settings, { DELTA_TABLE: deltaTable })
    )
    eventGridTopicName: publishToEventGrid ? names.eventGrid : ''
    operatorEventsToEventGrid: operatorEventsToEventGrid
    settledRuleName: sendToLogAnalytics ? names.settledRule : ''
    settledEndpointName: sendToLogAnalytics && monitorsPrivately ? names.settledEndpoint : ''
    fabric: fabric
    serviceEndpoint: sasIntake == null ? null : topology.serviceEndpoints[sasIntake!.kind]
    serviceEndpointNamespace: names.sasIntake
    businessEvents: businessEvents ? topology.serviceEndpoints.businessEvents : null
    businessEventsNamespace: names.businessEvents
    dataverse: dataverse
    systems: systems
    pluginEvents: pluginEvents
    virtualTables: virtualTables
    copiesAccountName: names.copies
    signIn: entra != null
    moreSettings: moreSettings
  }
  dependsOn: [
    functionApp
    intake
    businessEventsQueue
    settledTable
    settledTopic
  ]
}

var storageSuffix = environment().suffixes.storage

module privateEndpoints 'modules/privateendpoints.bicep' = if (isPrivate) {
  name: 'privateendpoints'
  params: {
    vnetId: makesNetwork ? ids.network : null
    zonesGroup: network.?existingZonesGroup
    subnetId: ids.endpointSubnet
    endpoints: concat([
      {
        name: 'pe-${base}-blob'
        targetId: ids.storage
        groupId: 'blob'
        zone: 'privatelink.blob.${storageSuffix}'
      }
      {
        name: 'pe-${base}-queue'
        targetId: ids.storage
        groupId: 'queue'
        zone: 'privatelink.queue.${storageSuffix}'
      }
      {
        name: 'pe-${base}-table'
        targetId: ids.storage
        groupId: 'table'
        zone: 'privatelink.table.${storageSuffix}'
      }
      {
        name: 'pe-${base}-sb'
        targetId: ids.serviceBus
        groupId: 'namespace'
        zone: 'privatelink.servicebus.windows.net'
      }
      {
        name: 'pe-${base}-evhns'
        targetId: ids.eventHubs
        groupId: 'namespace'
        zone: 'privatelink.servicebus.windows.net'
      }
    ], publishToEventGrid
      ? [
          {
            name: 'pe-${base}-evgt'
            targetId: ids.eventGrid
            groupId: 'topic'
            zone: 'privatelink.eventgrid.azure.net'
          }
        ]
      : [])
    location: location
    tags: allTags
  }
  dependsOn: [
    eventHubs
    settledTopic
    serviceBus
    storage
    vnet
  ]
}

module metricAlerts 'modules/alerts-metrics.bicep' = {
  name: 'alerts-metrics'
  params: {
    base: base
    serviceBusId: ids.serviceBus
    eventHubsId: ids.eventHubs
    capture: capture
    queueSizeMb: queueSizeMb
    actionGroupId: ids.actionGroup
    limits: alertLimits
    tags: allTags
  }
  dependsOn: [
    eventHubs
    monitoring
    serviceBus
  ]
}

module logAlerts 'modules/alerts-logs.bicep' = {
  name: 'alerts-logs'
  params: {
    base: base
    componentId: ids.component
    actionGroupId: ids.actionGroup
    limits: alertLimits
    availability: availability != null
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module platformAlerts 'modules/alerts-platform.bicep' = {
  name: 'alerts-platform'
  params: {
    base: base
    keyVaultId: ids.keyVault
    actionGroupId: ids.actionGroup
    location: location
    tags: allTags
  }
  dependsOn: [
    keyVault
    monitoring
  ]
}

module monthlyBudget 'modules/budget.bicep' = if (budget != null) {
  name: 'budget'
  params: {
    name: 'budget-${base}'
    budget: budget!
    actionGroupId: ids.actionGroup
  }
  dependsOn: [
    monitoring
  ]
}

module factoryIdentity 'modules/identity.bicep' = if (dataFactory != null) {
  name: 'identity-factory'
  params: {
    name: names.factoryIdentity
    location: location
    tags: allTags
  }
}

module factoryRoles 'modules/roles-container.bicep' = if (dataFactory != null) {
  name: 'roles-factory'
  params: {
    principalId: factoryIdentity.?outputs.principalId ?? ''
    storageAccountName: names.storage
    containerName: extractsContainer
  }
  dependsOn: [
    storage
  ]
}

module factory 'modules/datafactory.bicep' = if (dataFactory != null) {
  name: 'datafactory'
  params: {
    name: 'adf-${base}-${suffix}'
    extract: dataFactory!
    dataverseUrl: dataverse.url
    identityId: ids.factoryIdentity
    storageAccountName: names.storage
    container: extractsContainer
    isPrivate: isPrivate
    location: location
    tags: allTags
  }
  dependsOn: [
    factoryIdentity
    factoryRoles
    storage
  ]
}

module options 'modules/options.bicep' = if (!empty(readers) || archiveTopic || eventGridTopic != null) {
  name: 'options'
  params: {
    base: base
    eventHubsName: names.eventHubs
    hub: topology.senders.hubs[0]
    readers: readers
    storageAccountName: names.storage
    archiveTopic: archiveTopic
    eventGridTopic: eventGridTopic ?? ''
    location: location
    tags: allTags
  }
  dependsOn: [
    eventHubs
    storage
  ]
}

module signIn 'modules/entra.bicep' = if (entra != null) {
  name: 'entra'
  params: {
    functionAppName: names.app
    entra: entra!
  }
  dependsOn: [
    functionApp
  ]
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    base: base
    componentId: ids.component
    location: location
    tags: allTags
  }
  dependsOn: [
    monitoring
  ]
}

module locks 'modules/locks.bicep' = if (protect) {
  name: 'locks'
  params: {
    storageAccountName: names.storage
    copiesAccountName: names.copies
    serviceBusName: names.serviceBus
    eventHubsName: names.eventHubs
    keyVaultName: names.keyVault
  }
  dependsOn: [
    copies
    eventHubs
    keyVault
    serviceBus
    storage
  ]
}

@description('Name of the app, for publishing.')
output functionAppName string = functionApp.outputs.name

@description('Base URL of the app, for the service endpoint of Dataverse and the smoke test.')
output functionAppUrl string = 'https://${functionApp.outputs.hostName}'

@description('Vault that the secrets go into.')
output keyVaultName string = keyVault.outputs.name

@description('Client id of the identity, for which the application user of Dataverse is created.')
output identityClientId string = identity.outputs.clientId

@description('Namespace that Dataverse posts to directly; empty without sasIntake.')
output sasIntakeNamespace string = intake.?outputs.namespaceName ?? ''

@description('How instances are replaced; infra/deploy.py brings the app to it.')
output updateStrategy string = updateStrategy

@description('Parameters of infra/webtest.json, which infra/deploy.py deploys; empty where no test is wanted.')
output webTest object = availability == null
  ? {}
  : {
      name: 'test-${base}'
      componentId: ids.component
      url: 'https://${functionApp.outputs.hostName}/api/health'
      frequencySeconds: availability!.everyMinutes * 60
      locations: availability!.locations
      location: location
      tags: allTags
    }

@description('Namespace that Finance & Operations posts business events to with SAS; empty without businessEvents.')
output businessEventsNamespace string = businessEventsQueue.?outputs.namespaceName ?? ''

@description('Parameters of infra/monitorscope.json, which infra/deploy.py deploys; empty without privateMonitoring.')
output monitorScope object = !monitorsPrivately
  ? {}
  : {
      name: 'ampls-${base}'
      linkedIds: concat(
        [ids.workspace, ids.component],
        sendToLogAnalytics ? [resourceId('Microsoft.Insights/dataCollectionEndpoints', names.settledEndpoint)] : []
      )
      subnetId: ids.endpointSubnet
      networkId: makesNetwork ? ids.network : ''
      zonesGroup: network.?existingZonesGroup ?? ''
      location: location
      tags: allTags
    }

@description('Resource id of the Event Grid topic that events come through; empty without eventGridTopic.')
output eventGridTopicId string = options.?outputs.eventGridTopicId ?? ''

@description('Client id of the identity of the Data Factory, for which an application user of Dataverse is created; empty without dataFactory.')
output dataFactoryClientId string = factoryIdentity.?outputs.clientId ?? ''
