metadata description = '''
One queue or hub that Dataverse service endpoints post to directly. They know only SAS, and local authentication is a switch
of a whole namespace, whose RootManageSharedAccessKey cannot be deleted. So the entity has a namespace of its own: a key that
leaks there, even that one, opens nothing else. Dataverse gets a key with the Send right alone.
'''

import { sasIntakeType, tagsType } from 'types.bicep'

@description('The one entity.')
param intake sasIntakeType

@description('Name of the namespace.')
param name string

@description('Workspace of the diagnostic settings.')
param workspaceId string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

var ruleName = 'dataverse-send'

resource serviceBus 'Microsoft.ServiceBus/namespaces@2024-01-01' = if (intake.kind == 'queue') {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    disableLocalAuth: false
    minimumTlsVersion: '1.2'
  }

  // Dataverse sets no session id and no message id that means anything: no sessions, no duplicate detection.
  resource queue 'queues' = {
    name: intake.name
    properties: {
      requiresSession: false
      requiresDuplicateDetection: false
      lockDuration: 'PT1M'
      maxDeliveryCount: 10
      defaultMessageTimeToLive: 'P14D'
      deadLetteringOnMessageExpiration: true
      enablePartitioning: false
    }

    resource rule 'authorizationRules' = {
      name: ruleName
      properties: {
        rights: ['Send']
      }
    }
  }
}

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' = if (intake.kind == 'hub') {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
    capacity: 1
  }
  properties: {
    disableLocalAuth: false
    minimumTlsVersion: '1.2'
  }

  resource hub 'eventhubs' = {
    name: intake.name
    properties: {
      partitionCount: 4
      retentionDescription: {
        cleanupPolicy: 'Delete'
        retentionTimeInHours: 72
      }
    }

    resource rule 'authorizationRules' = {
      name: ruleName
      properties: {
        rights: ['Send']
      }
    }
  }
}

resource serviceBusLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (intake.kind == 'queue') {
  name: 'to-workspace'
  scope: serviceBus
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'OperationalLogs'
        enabled: true
      }
    ]
  }
}

resource eventHubsLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (intake.kind == 'hub') {
  name: 'to-workspace'
  scope: eventHubs
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'OperationalLogs'
        enabled: true
      }
    ]
  }
}

@description('Name of the namespace; its key is read by az, never by a deployment.')
output namespaceName string = name
