metadata description = 'A custom topic of Event Grid that settled events are published to as CloudEvents. Entra only.'

import { tagsType } from 'types.bicep'

@description('Name of the topic.')
param name string

@description('Whether the topic can be reached from outside private endpoints.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

@description('Workspace of the diagnostic settings.')
param workspaceId string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: publicNetworkAccess
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: topic
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'PublishFailures'
        enabled: true
      }
      {
        category: 'DeliveryFailures'
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
