metadata description = 'Locks against deletion on what holds events, their history or secrets.'

@description('Name of the storage account.')
param storageAccountName string

@description('Name of the storage account of the copies.')
param copiesAccountName string

@description('Name of the Service Bus namespace.')
param serviceBusName string

@description('Name of the Event Hubs namespace.')
param eventHubsName string

@description('Name of the Key Vault.')
param keyVaultName string

var lock = {
  level: 'CanNotDelete'
  notes: 'Holds events, their history or secrets. docs/how-to/deploy.md, Tear down, says how to take the lock away.'
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource copies 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: copiesAccountName
}

resource serviceBus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: serviceBusName
}

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: eventHubsName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: keyVaultName
}

resource accountLock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep'
  scope: account
  properties: lock
}

resource copiesLock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep'
  scope: copies
  properties: lock
}

resource serviceBusLock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep'
  scope: serviceBus
  properties: lock
}

resource eventHubsLock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep'
  scope: eventHubs
  properties: lock
}

resource vaultLock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep'
  scope: vault
  properties: lock
}
