metadata description = 'At each hybrid connection of Azure Relay: the identity may send, a principal beside the system may listen.'

@description('Object id of the identity.')
param principalId string

@description('Object id of who runs the listeners; empty where they have a key.')
param listenerPrincipalId string

@description('Name of the Azure Relay namespace.')
param relayName string

@description('Hybrid connections.')
param hybridConnections string[]

var roleIds = {
  relayListener: '26e0b698-aa6d-4085-9386-aadae190014d'
  relaySender: '26baccc8-eea7-41f1-98f4-1762cc7f685d'
}

resource namespace 'Microsoft.Relay/namespaces@2024-01-01' existing = {
  name: relayName
}

resource connection 'Microsoft.Relay/namespaces/hybridConnections@2024-01-01' existing = [
  for name in hybridConnections: {
    parent: namespace
    name: name
  }
]

resource maySend 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in hybridConnections: {
    name: guid(connection[i].id, principalId, roleIds.relaySender)
    scope: connection[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.relaySender)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource mayListen 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in (empty(listenerPrincipalId) ? [] : hybridConnections): {
    name: guid(connection[i].id, listenerPrincipalId, roleIds.relayListener)
    scope: connection[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.relayListener)
      principalId: listenerPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]
