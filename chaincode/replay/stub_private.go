package replay

import (
	"errors"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

var errNoCollection = errors.New("collection must not be an empty string")

func (s *stub) GetPrivateData(collection, key string) ([]byte, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	spelled(collection, key)
	value, err := s.simulation.readPrivate(collection, key)
	return value, s.failed("GET_STATE", err)
}

func (s *stub) GetMultiplePrivateData(collection string, keys ...string) ([][]byte, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	if len(keys) == 0 {
		return nil, nil
	}
	spelled(collection)
	spelled(keys...)
	values, err := s.simulation.readSeveralPrivate(collection, keys)
	return values, s.failed("GET_STATE_MULTIPLE", err)
}

func (s *stub) GetPrivateDataHash(collection, key string) ([]byte, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	spelled(collection, key)
	value, err := s.simulation.readPrivateHash(collection, key)
	return value.Data, s.failed("GET_PRIVATE_DATA_HASH", err)
}

func (s *stub) PutPrivateData(collection, key string, value []byte) error {
	if collection == "" {
		return errNoCollection
	}
	if key == "" {
		return errors.New("key must not be an empty string")
	}
	return s.writePrivate("PUT_STATE", collection, key, privateWrite{value: value})
}

func (s *stub) DelPrivateData(collection, key string) error {
	if collection == "" {
		return errNoCollection
	}
	return s.writePrivate("DEL_STATE", collection, key, privateWrite{})
}

func (s *stub) PurgePrivateData(collection, key string) error {
	if collection == "" {
		return errNoCollection
	}
	return s.writePrivate("PURGE_PRIVATE_DATA", collection, key, privateWrite{purge: true})
}

func (s *stub) writePrivate(message, collection, key string, write privateWrite) error {
	return s.perform(batchKey{collection: collection, key: key}, message, func() error {
		return s.simulation.writePrivate(collection, key, write)
	})
}

func (s *stub) SetPrivateDataValidationParameter(collection, key string, policy []byte) error {
	entries := []Entry{{Name: validationParameter, Value: policy}}
	return s.perform(batchKey{collection: collection, key: key, metadata: true}, "PUT_STATE_METADATA", func() error {
		if collection == "" {
			return s.simulation.describe(key, entries)
		}
		return s.simulation.describePrivate(collection, key, entries)
	})
}

func (s *stub) GetPrivateDataValidationParameter(collection, key string) ([]byte, error) {
	if collection == "" {
		return s.GetStateValidationParameter(key)
	}
	spelled(collection, key)
	if err := s.simulation.permission(collection, true); err != nil {
		return nil, s.failed("GET_STATE_METADATA", err)
	}
	value, err := s.simulation.readPrivateHash(collection, key)
	return value.Policy(), s.failed("GET_STATE_METADATA", err)
}

func (s *stub) scanPrivate(collection, start, end string) (shim.StateQueryIteratorInterface, error) {
	spelled(collection, start, end)
	found, err := s.simulation.scanPrivate(collection, start, end)
	if err != nil {
		return nil, s.failed("GET_STATE_BY_RANGE", err)
	}
	return found, nil
}

func (s *stub) GetPrivateDataByRange(collection, start, end string) (shim.StateQueryIteratorInterface, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	start, err := simpleRange(start, end)
	if err != nil {
		return nil, err
	}
	return s.scanPrivate(collection, start, end)
}

func (s *stub) GetPrivateDataByPartialCompositeKey(collection, objectType string, keys []string,
) (shim.StateQueryIteratorInterface, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	start, end, err := compositeRange(objectType, keys)
	if err != nil {
		return nil, err
	}
	return s.scanPrivate(collection, start, end)
}
