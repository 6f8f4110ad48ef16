targetScope = 'resourceGroup'

metadata description = '''
Dataverse integration: one Flex Consumption app, Service Bus, Event Hubs, storage, Key Vault, monitoring. Identity only.
Queues, hubs, consumer groups and functions stand in topology.json, which the code is held against.
'''

import {
  accessRuleType
  alertLimitsType
  dataverseType
  pluginEventsType
  networkType
  sasIntakeType
  scaleType
  systemsType
  tagsType
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
param tags tagsType = {}

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

@description('Further app settings by name (integration/settings.py), such as RETRY_MAX_ATTEMPTS. Never secrets.')
param moreSettings object = {}

// Size

@description('Python of the app; the tests run on 3.11, 3.12 and 3.13.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.13'

@description('How far the app scales, and what is always ready.')
param scale scaleType = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 6
  httpPerInstanceConcurrency: 64
  alwaysReady: []
}

@description('Spread app and storage over availability zones. Needs two always-ready instances of each group that has any.')
param zoneRedundant bool = false

@description('Service Bus tier. Premium is needed with a private network, and for messages over 256 KB.')
@allowed(['Standard', 'Premium'])
param serviceBusSku string = 'Standard'

@description('Most throughput units of Event Hubs.')
@minValue(1)
@maxValue(40)
param maximumThroughputUnits int = 4

@description('Also keep every hub as Avro files (Event Hubs Capture), beside the archive of the app.')
param capture bool = false

// Who may reach what

@description('Who may reach the HTTP routes; if it is empty, everybody, and only the intake key protects them. Always include Dataverse (PowerPlatformPlex).')
param accessRules accessRuleType[] = []

@description('Virtual network, private endpoints and DNS for storage, Service Bus and Event Hubs; the intake stays reachable. Left out: public addresses with Entra tokens.')
param network networkType?

@description('One queue or hub that Dataverse posts to directly with a SAS key (modules/sasintake.bicep). Left out: SAS is off everywhere.')
param sasIntake sasIntakeType?

@description('Locks against deletion, purge protection of the vault.')
param protect bool = false

// Operations

@description('Mail addresses that alerts go to.')
param alertEmails string[] = []

@description('Limits of the alerts.')
param alertLimits alertLimitsType = {
  activeMessages: 1000
  failedAttempts: 50
  intakeErrors: 5
  oldestUnsettledMinutes: 120
}

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Most gigabytes of logs a day; -1 for no limit.')
@minValue(-1)
param logQuotaGb int = -1

var topology = loadJsonContent('topology.json')

var base = '${workload}-${environmentName}'
var suffix = take(uniqueString(resourceGroup().id, workload, environmentName), 6)
var allTags = union(tags, { workload: workload, environment: environmentName })

var deploymentContainer = 'app-package'
var captureContainer = 'eventhubs-capture'
var containers = concat([deploymentContainer], topology.storage.containers, capture ? [captureContainer] : [])

var isPrivate = network != null
var publicNetworkAccess = isPrivate ? 'Disabled' : 'Enabled'

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-${base}'
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-${base}'
    componentName: 'appi-${base}'
    actionGroupName: 'ag-${base}'
    actionGroupShortName: take('${workload}${environmentName}', 12)
    alertEmails: alertEmails
    retentionDays: logRetentionDays
    dailyQuotaGb: logQuotaGb
    location: location
    tags: allTags
  }
}

module vnet 'modules/network.bicep' = if (isPrivate) {
  name: 'network'
  params: {
    name: 'vnet-${base}'
    network: network!
    location: location
    tags: allTags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: 'st${workload}${environmentName}${suffix}'
    skuName: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
    containers: containers
    publicNetworkAccess: publicNetworkAccess
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: allTags
  }
}

module storageRoles 'modules/roles-storage.bicep' = {
  name: 'roles-storage'
  params: {
    principalId: identity.outputs.principalId
    storageAccountName: storage.outputs.name
  }
}

module serviceBus 'modules/servicebus.bicep' = {
  name: 'servicebus'
  params: {
    name: 'sb-${base}-${suffix}'
    skuName: serviceBusSku
    queues: topology.serviceBus.queues
    publicNetworkAccess: publicNetworkAccess
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: allTags
  }
}

module eventHubs 'modules/eventhubs.bicep' = {
  name: 'eventhubs'
  params: {
    name: 'evhns-${base}-${suffix}'
    hubs: topology.eventHubs.hubs
    capture: capture
    captureStorageAccountId: storage.outputs.id
    captureContainer: captureContainer
    identityId: identity.outputs.id
    maximumThroughputUnits: maximumThroughputUnits
    publicNetworkAccess: publicNetworkAccess
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: allTags
  }
  dependsOn: [
    storageRoles
  ]
}

module intake 'modules/sasintake.bicep' = if (sasIntake != null) {
  name: 'sasintake'
  params: {
    intake: sasIntake!
    name: 'in-${base}-${suffix}'
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: allTags
  }
}

module keyVault 'modules/keyvault.bicep' = {
  name: 'keyvault'
  params: {
    name: 'kv-${take(workload, 8)}-${environmentName}-${take(suffix, 4)}'
    purgeProtection: protect
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: allTags
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    serviceBusName: serviceBus.outputs.name
    receivingQueues: map(topology.functions.serviceBus, it => it.queue)
    sendingQueues: topology.senders.queues
    eventHubsName: eventHubs.outputs.name
    receivingHubs: map(topology.functions.eventHubs, it => it.hub)
    sendingHubs: topology.senders.hubs
    keyVaultName: keyVault.outputs.name
    componentName: monitoring.outputs.componentName
  }
}

module functionApp 'modules/functionapp.bicep' = {
  name: 'functionapp'
  params: {
    name: 'func-${base}-${suffix}'
    planName: 'plan-${base}'
    identityId: identity.outputs.id
    storageAccountName: storage.outputs.name
    deploymentContainer: deploymentContainer
    pythonVersion: pythonVersion
    scale: scale
    zoneRedundant: zoneRedundant
    subnetId: vnet.?outputs.appSubnetId ?? ''
    accessRules: accessRules
    location: location
    tags: allTags
  }
  dependsOn: [
    roles
    storageRoles
    privateEndpoints
  ]
}

module appSettings 'modules/appsettings.bicep' = {
  name: 'appsettings'
  params: {
    functionAppName: functionApp.outputs.name
    identityClientId: identity.outputs.clientId
    storageAccountName: storage.outputs.name
    componentName: monitoring.outputs.componentName
    serviceBusName: serviceBus.outputs.name
    eventHubsName: eventHubs.outputs.name
    keyVaultName: keyVault.outputs.name
    topologySettings: topology.settings
    dataverse: dataverse
    systems: systems
    pluginEvents: pluginEvents
    moreSettings: moreSettings
  }
}

var storageSuffix = environment().suffixes.storage

module privateEndpoints 'modules/privateendpoints.bicep' = if (isPrivate) {
  name: 'privateendpoints'
  params: {
    vnetId: vnet.?outputs.vnetId ?? ''
    subnetId: vnet.?outputs.endpointSubnetId ?? ''
    endpoints: [
      {
        name: 'pe-${base}-blob'
        targetId: storage.outputs.id
        groupId: 'blob'
        zone: 'privatelink.blob.${storageSuffix}'
      }
      {
        name: 'pe-${base}-queue'
        targetId: storage.outputs.id
        groupId: 'queue'
        zone: 'privatelink.queue.${storageSuffix}'
      }
      {
        name: 'pe-${base}-table'
        targetId: storage.outputs.id
        groupId: 'table'
        zone: 'privatelink.table.${storageSuffix}'
      }
      {
        name: 'pe-${base}-sb'
        targetId: serviceBus.outputs.id
        groupId: 'namespace'
        zone: 'privatelink.servicebus.windows.net'
      }
      {
        name: 'pe-${base}-evhns'
        targetId: eventHubs.outputs.id
        groupId: 'namespace'
        zone: 'privatelink.servicebus.windows.net'
      }
    ]
    location: location
    tags: allTags
  }
}

module metricAlerts 'modules/alerts-metrics.bicep' = {
  name: 'alerts-metrics'
  params: {
    base: base
    serviceBusId: serviceBus.outputs.id
    eventHubsId: eventHubs.outputs.id
    capture: capture
    actionGroupId: monitoring.outputs.actionGroupId
    limits: alertLimits
    tags: allTags
  }
}

module logAlerts 'modules/alerts-logs.bicep' = {
  name: 'alerts-logs'
  params: {
    base: base
    componentId: monitoring.outputs.componentId
    actionGroupId: monitoring.outputs.actionGroupId
    limits: alertLimits
    location: location
    tags: allTags
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    base: base
    componentId: monitoring.outputs.componentId
    location: location
    tags: allTags
  }
}

module locks 'modules/locks.bicep' = if (protect) {
  name: 'locks'
  params: {
    storageAccountName: storage.outputs.name
    serviceBusName: serviceBus.outputs.name
    eventHubsName: eventHubs.outputs.name
    keyVaultName: keyVault.outputs.name
  }
}

@description('Name of the app, for publishing.')
output functionAppName string = functionApp.outputs.name

@description('Base URL of the app, for the service endpoint of Dataverse and the smoke test.')
output functionAppUrl string = 'https://${functionApp.outputs.hostName}'

@description('Vault that the secrets go into.')
output keyVaultName string = keyVault.outputs.name

@description('Client id of the identity, for which the application user of Dataverse is created.')
output identityClientId string = identity.outputs.clientId

@description('Namespace that Dataverse posts to with SAS; empty without sasIntake.')
output sasIntakeNamespace string = intake.?outputs.namespaceName ?? ''
