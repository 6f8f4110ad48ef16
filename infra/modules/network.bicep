metadata description = 'The virtual network: one subnet for the app, one for private endpoints, a fixed outbound address as an option.'

import { networkType, tagsType } from 'types.bicep'

@description('Name of the network.')
param name string

@description('Addresses, DNS servers, outbound address.')
param network networkType

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

resource outboundAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (network.fixedOutboundAddress) {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

// Not StandardV2, which spans zones: it cannot be attached to a subnet that is delegated to Microsoft.App/environments.
resource gateway 'Microsoft.Network/natGateways@2025-05-01' = if (network.fixedOutboundAddress) {
  name: 'ng-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIpAddresses: [
      {
        id: outboundAddress.id
      }
    ]
  }
}

resource vnet 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [network.addressPrefix]
    }
    dhcpOptions: {
      dnsServers: network.?dnsServers ?? []
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(network.addressPrefix, 24, 0)
          natGateway: network.fixedOutboundAddress
            ? {
                id: gateway.id
              }
            : null
          // The account of the copies lets in this subnet alone, also from another region.
          serviceEndpoints: [
            {
              service: 'Microsoft.Storage.Global'
            }
          ]
          delegations: [
            {
              name: 'flex'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(network.addressPrefix, 24, 1)
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}
