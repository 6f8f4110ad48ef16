metadata description = '''
What the identity may do outside storage: on each queue and hub only what the functions and senders of topology.json do
there; read secrets; publish telemetry.

The identity is Data Owner of the queues that it receives from, as only that role lets the platform read their length.
Without it, scaling looks at the first eleven messages of a queue and counts active ones: eleven retries that wait for their
time at the head make the queue look empty.
'''

@description('Object id of the identity.')
param principalId string

@description('Name of the Service Bus namespace.')
param serviceBusName string

@description('Queues that functions receive from.')
param receivingQueues string[]

@description('Queues that the app sends to.')
param sendingQueues string[]

@description('Name of the Event Hubs namespace.')
param eventHubsName string

@description('Hubs that functions receive from.')
param receivingHubs string[]

@description('Hubs that the app sends to.')
param sendingHubs string[]

@description('Name of the Key Vault.')
param keyVaultName string

@description('Name of the Application Insights component.')
param componentName string

var roleIds = {
  serviceBusDataOwner: '090c5cfd-751d-490a-894a-3ce6f1109419'
  serviceBusDataSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  eventHubsDataReceiver: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
  eventHubsDataSender: '2b629674-e913-4c01-ae53-ef4638d8f975'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

var queueGrants = concat(
  map(receivingQueues, name => { entity: name, roleId: roleIds.serviceBusDataOwner }),
  map(filter(sendingQueues, name => !contains(receivingQueues, name)), name => {
    entity: name
    roleId: roleIds.serviceBusDataSender
  })
)

var hubGrants = concat(
  map(receivingHubs, name => { entity: name, roleId: roleIds.eventHubsDataReceiver }),
  map(sendingHubs, name => { entity: name, roleId: roleIds.eventHubsDataSender })
)

resource serviceBus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: serviceBusName
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = [
  for grant in queueGrants: {
    parent: serviceBus
    name: grant.entity
  }
]

resource queueAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in queueGrants: {
    name: guid(queue[i].id, principalId, grant.roleId)
    scope: queue[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.roleId)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: eventHubsName
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = [
  for grant in hubGrants: {
    parent: eventHubs
    name: grant.entity
  }
]

resource hubAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in hubGrants: {
    name: guid(hub[i].id, principalId, grant.roleId)
    scope: hub[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.roleId)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: keyVaultName
}

resource vaultAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, roleIds.keyVaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource componentAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, roleIds.monitoringMetricsPublisher)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.monitoringMetricsPublisher
    )
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
