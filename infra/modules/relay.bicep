metadata description = '''
An Azure Relay namespace with a hybrid connection for each system in a network that lets nobody in. Who may send and
listen is in roles-relay.bicep; without a principal that listens, there is a key that allows nothing else. The namespace keeps
its public address, as listeners connect from outside Azure. Its API has no switch for local authentication.
'''

import { relayType, tagsType } from 'types.bicep'

@description('Namespace and hybrid connections.')
param relay relayType

@description('Workspace of the diagnostic settings.')
param workspaceId string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

resource namespace 'Microsoft.Relay/namespaces@2024-01-01' = {
  name: relay.namespace
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    publicNetworkAccess: 'Enabled'
  }
}

resource connection 'Microsoft.Relay/namespaces/hybridConnections@2024-01-01' = [
  for name in relay.hybridConnections: {
    parent: namespace
    name: name
    properties: {
      requiresClientAuthorization: true
    }
  }
]

resource listenRule 'Microsoft.Relay/namespaces/hybridConnections/authorizationRules@2024-01-01' = [
  for (name, i) in (relay.?listenerPrincipalId == null ? relay.hybridConnections : []): {
    parent: connection[i]
    name: 'listen'
    properties: {
      rights: ['Listen']
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
        category: 'HybridConnectionsEvent'
        enabled: true
      }
    ]
  }
}
