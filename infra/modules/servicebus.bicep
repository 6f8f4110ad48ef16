metadata description = 'The Service Bus namespace and the queues of topology.json. Entra only, no partitioned entities: batches of mixed sessions fail on them.'

import { queueType, tagsType } from 'types.bicep'

@description('Name of the namespace.')
param name string

@description('Tier; Premium is needed for private endpoints and for messages over 256 KB.')
@allowed(['Standard', 'Premium'])
param skuName string

@description('Queues.')
param queues queueType[]

@description('Most megabytes of each queue, dead letters included.')
param queueSizeMb int

@description('Whether the namespace can be reached from outside private endpoints.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

@description('Region that the namespace is replicated to, Premium only; null for none. After a failover the address stays the same.')
param secondaryLocation string?

@description('Workspace of the diagnostic settings.')
param workspaceId string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

// Asynchronous: a failover that is forced may lose what was sent in the last five minutes, which resync brings back.
var geoDataReplication = {
  maxReplicationLagDurationInSeconds: 300
  locations: [
    {
      locationName: location
      roleType: 'Primary'
    }
    {
      locationName: secondaryLocation
      roleType: 'Secondary'
    }
  ]
}

resource namespace 'Microsoft.ServiceBus/namespaces@2026-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: skuName
    tier: skuName
    capacity: skuName == 'Premium' ? 1 : null
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: publicNetworkAccess
    premiumMessagingPartitions: skuName == 'Premium' ? 1 : null
    geoDataReplication: skuName == 'Premium' && secondaryLocation != null ? geoDataReplication : null
  }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [
  for it in queues: {
    parent: namespace
    name: it.name
    properties: {
      requiresSession: it.requiresSession
      requiresDuplicateDetection: it.requiresDuplicateDetection
      duplicateDetectionHistoryTimeWindow: it.duplicateDetectionHistoryTimeWindow
      lockDuration: it.lockDuration
      maxDeliveryCount: it.maxDeliveryCount
      maxSizeInMegabytes: queueSizeMb
      defaultMessageTimeToLive: it.defaultMessageTimeToLive
      deadLetteringOnMessageExpiration: it.deadLetteringOnMessageExpiration
      enablePartitioning: false
    }
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
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}
