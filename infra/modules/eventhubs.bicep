metadata description = 'The Event Hubs namespace, the hubs and consumer groups of topology.json, and Capture as an option. Entra only.'

import { hubType, tagsType } from 'types.bicep'

@description('Name of the namespace.')
param name string

@description('Hubs.')
param hubs hubType[]

@description('Also write every hub to blobs as Avro, beside the archive of the app.')
param capture bool

@description('Storage account of Capture.')
param captureStorageAccountId string

@description('Container of Capture; the identity must hold its roles there before the hub is made.')
param captureContainer string

@description('Identity that Capture writes with.')
param identityId string

@description('Throughput units that the namespace is deployed with.')
@minValue(1)
@maxValue(40)
param throughputUnits int

@description('Most throughput units; Azure adds them under load and never takes them back.')
@minValue(1)
@maxValue(40)
param maximumThroughputUnits int

@description('Whether the namespace can be reached from outside private endpoints.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

@description('Workspace of the diagnostic settings.')
param workspaceId string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

var captureDescription = {
  enabled: true
  encoding: 'Avro'
  intervalInSeconds: 300
  sizeLimitInBytes: 314572800
  skipEmptyArchives: true
  destination: {
    name: 'EventHubArchive.AzureBlockBlob'
    identity: {
      type: 'UserAssigned'
      userAssignedIdentity: identityId
    }
    properties: {
      storageAccountResourceId: captureStorageAccountId
      blobContainer: captureContainer
      archiveNameFormat: '{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}'
    }
  }
}

var groups = flatten(map(hubs, hub => map(hub.consumerGroups, group => { hub: hub.name, name: group })))

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
    capacity: throughputUnits
  }
  // Capture signs in with an identity that the namespace itself carries.
  identity: capture
    ? {
        type: 'UserAssigned'
        userAssignedIdentities: {
          '${identityId}': {}
        }
      }
    : null
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: publicNetworkAccess
    isAutoInflateEnabled: true
    maximumThroughputUnits: maximumThroughputUnits
  }
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = [
  for it in hubs: {
    parent: namespace
    name: it.name
    properties: {
      partitionCount: it.partitionCount
      retentionDescription: {
        cleanupPolicy: 'Delete'
        retentionTimeInHours: it.retentionTimeInHours
      }
      captureDescription: capture ? captureDescription : null
    }
  }
]

resource groupHub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = [
  for group in groups: {
    parent: namespace
    name: group.hub
  }
]

resource consumerGroup 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [
  for (group, i) in groups: {
    parent: groupHub[i]
    name: group.name
    properties: {}
    dependsOn: [
      hub
    ]
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'OperationalLogs'
        enabled: true
      }
      {
        category: 'ArchiveLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}
